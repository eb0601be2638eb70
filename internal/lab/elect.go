package lab

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/youmark/pkcs8"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/grpclog"
)

// After a cold start of every manager an election begins only when one of them
// has waited for ten to twenty seconds, and until it ends no engine answers.
// elect has a manager begin as soon as all of them can vote, by the message with
// which a leader that goes hands over (raft's MsgTimeoutNow): the votes, and all
// that follows, are the engines' own.
//
// It is best effort, and left to the engines where it can't be done.
func (s *state) elect(ctx context.Context) {
	managers := s.managers()
	if len(managers) < 2 {
		return // one alone elects itself
	}
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard))
	voters := s.voters(ctx, managers)
	for i := len(voters) - 1; ctx.Err() == nil && i >= 0; i-- {
		_ = s.handOver(ctx, voters[i], voters[(i+1)%len(voters)])
		if s.answers(ctx, voters[i], electionPatience) {
			return
		}
	}
}

// voters are the managers in the order in which they came to vote, once all of
// them do. The last of them found the others there, and wins; who was there
// before them asks for votes over connections that it believes to be broken.
func (s *state) voters(ctx context.Context, managers []Node) []Node {
	var voters []Node
	_ = WaitFor(ctx, electionTimeout, "every manager to be ready to vote", func() (bool, error) {
		for i, n := range managers {
			there := func(v Node) bool { return v.Name == n.Name }
			if !slices.ContainsFunc(voters, there) && s.votes(ctx, n, managers[(i+1)%len(managers)]) {
				voters = append(voters, n)
			}
		}
		return len(voters) == len(managers), nil
	})
	return voters
}

// Lead has a manager become the swarm's leader, by the same message. Without a
// quorum nobody can.
func (l *Lab) Lead(ctx context.Context, node string) error {
	st, n, err := l.node(node)
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(st.managers(), func(m Node) bool { return m.Name == node })
	if n.Role != roleManager || len(others) == 0 {
		return fmt.Errorf("node %s can't take the lead: it needs to be a manager, and to have another beside it", node)
	}
	return WaitFor(ctx, electionTimeout, node+" to lead", func() (bool, error) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		if members, err := st.members(ctx, node); err == nil && members[node].ManagerStatus.Leader {
			return true, nil
		}
		for _, from := range others {
			if st.handOver(ctx, n, from) == nil {
				break // one that was wiped has no name to send in
			}
		}
		return false, nil
	})
}

// electionPatience is more than an election takes, and an engine to answer once
// there is a leader.
const electionPatience = 2 * time.Second

// answers tells whether a manager's engine says within a time who is in the
// swarm, which it does when there is a leader.
func (s *state) answers(ctx context.Context, n Node, patience time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return WaitFor(ctx, patience, "an answer", func() (bool, error) {
		_, err := s.members(ctx, n.Name)
		return err == nil, nil
	}) == nil
}

// handOver tells a manager, in the name of another, to begin an election.
func (s *state) handOver(ctx context.Context, to, from Node) error {
	target, err := s.raftID(to)
	if err != nil {
		return err
	}
	sender, err := s.raftID(from)
	if err != nil {
		return err
	}
	_, err = s.ask(ctx, to, from, "/docker.swarmkit.v1.Raft/ProcessRaftMessage", timeoutNow(target, sender))
	return err
}

// votes tells whether a manager's raft node runs: before that, every vote that
// it is asked for is lost.
func (s *state) votes(ctx context.Context, n, asking Node) bool {
	answer, err := s.ask(ctx, n, asking, "/docker.swarmkit.v1.Health/Check", wire("\x0a\x04Raft"))
	return err == nil && bytes.Equal(answer, wire("\x08\x01")) // SERVING
}

// ask calls one method of a manager's remote API, with the certificate of
// another.
func (s *state) ask(ctx context.Context, to, from Node, method string, question wire) (wire, error) {
	creds, err := s.credentials(from)
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient("passthrough:///"+net.JoinHostPort(to.Address, "2377"), grpc.WithTransportCredentials(creds))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var answer wire
	return answer, conn.Invoke(ctx, method, question, &answer, grpc.ForceCodec(codec{}))
}

// timeoutNow is a ProcessRaftMessageRequest in its wire format: a raftpb.Message
// of type MsgTimeoutNow, without a term, so that no term is in its way.
func timeoutNow(to, from uint64) wire {
	m := []byte{0x08, 14} // type
	m = binary.AppendUvarint(append(m, 0x10), to)
	m = binary.AppendUvarint(append(m, 0x18), from)
	return append(wire{0x0a, byte(len(m))}, m...)
}

// credentials are those of a manager, from its disk.
func (s *state) credentials(n Node) (credentials.TransportCredentials, error) {
	certificates := s.nodeDir(n.Name, "docker", "swarm", "certificates")
	certificate, err := os.ReadFile(filepath.Join(certificates, "swarm-node.crt"))
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(filepath.Join(certificates, "swarm-node.key"))
	if err != nil {
		return nil, err
	}
	if s.Autolock {
		if key, err = s.unseal(key); err != nil {
			return nil, err
		}
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, err
	}
	root, err := os.ReadFile(filepath.Join(certificates, "swarm-root-ca.crt"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(root) {
		return nil, errors.New("no root CA can be read")
	}
	return credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: pool, ServerName: "swarm-manager", MinVersion: tls.VersionTLS12}), nil
}

// unseal opens a manager's key with the lab's unlock key, whose bytes are its
// password.
func (s *state) unseal(key []byte) ([]byte, error) {
	text, err := s.unlockKey()
	if err != nil {
		return nil, err
	}
	password, err := base64.RawStdEncoding.DecodeString(strings.TrimPrefix(text, "SWMKEY-1-"))
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(key)
	if block == nil {
		return nil, errors.New("the key can't be read")
	}
	private, err := pkcs8.ParsePKCS8PrivateKey(block.Bytes, password)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
}

// raftID reads a manager's raft ID where its log names the member that it is:
// the metadata of a segment, which is not encrypted.
func (s *state) raftID(n Node) (uint64, error) {
	text, err := os.ReadFile(s.nodeDir(n.Name, "docker", "swarm", "certificates", "swarm-node.crt"))
	if err != nil {
		return 0, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return 0, fmt.Errorf("the certificate of %s can't be read", n.Name)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return 0, err
	}
	segments, _ := filepath.Glob(s.nodeDir(n.Name, "docker", "swarm", "raft", "wal-v3-encrypted", "*.wal"))
	for _, path := range segments {
		f, err := os.Open(path)
		if err != nil {
			return 0, err
		}
		head := make([]byte, 4096)
		k, _ := f.Read(head)
		f.Close()
		if id, ok := findRaftID(head[:k], certificate.Subject.CommonName); ok {
			return id, nil
		}
	}
	return 0, fmt.Errorf("no segment of the log of %s names its raft member", n.Name)
}

// findRaftID finds an api.RaftMember of a node: its ID, then the node's.
func findRaftID(head []byte, nodeID string) (uint64, bool) {
	member := regexp.MustCompile(`(?s)\x08((?:[\x80-\xff]){0,9}[\x00-\x7f])\x12` + fmt.Sprintf(`\x%02x`, len(nodeID)) + regexp.QuoteMeta(nodeID))
	// Go's expressions match runes: bytes are made into the runes of their numbers.
	text := make([]rune, len(head))
	for i, b := range head {
		text[i] = rune(b)
	}
	found := member.FindStringSubmatch(string(text))
	if found == nil {
		return 0, false
	}
	var number []byte
	for _, r := range found[1] {
		number = append(number, byte(r))
	}
	id, n := binary.Uvarint(number)
	return id, n == len(number)
}

// wire is a message in its wire format, and codec passes it on as it is.
type wire []byte

type codec struct{}

func (codec) Name() string { return "proto" }

func (codec) Marshal(v any) ([]byte, error) { return v.(wire), nil }

func (codec) Unmarshal(data []byte, v any) error {
	*v.(*wire) = data
	return nil
}
