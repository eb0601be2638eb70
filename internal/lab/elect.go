package lab

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/grpclog"
)

// After a cold start of every manager an election begins only when one of them
// has waited for ten to twenty seconds, and until it ends no engine answers.
// elect has the first manager begin at once, by the message with which a leader
// that goes hands over (raft's MsgTimeoutNow): the votes, and all that follows,
// are the engines' own. It goes on until one of them
// answers or ctx ends: the others may not be there yet to vote.
//
// It is best effort, and left to the engines where it can't be done: the key of
// an auto-locked manager is sealed, and no message can be sent in its name.
func (s *state) elect(ctx context.Context) {
	var managers []Node
	for _, n := range s.Nodes {
		if n.Role == roleManager && len(n.Cut) == 0 && !n.Added {
			managers = append(managers, n)
		}
	}
	if len(managers) < 2 || s.Autolock {
		return
	}
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard))
	begin := time.Now()
	_ = WaitFor(ctx, electionTimeout, "the engines to answer", func() (bool, error) {
		// Who asked for votes before the others were up waits again: then the
		// next one is told.
		i := int(time.Since(begin)/(2*time.Second)) % len(managers)
		to, from := managers[i], managers[(i+1)%len(managers)]
		if conn, err := net.DialTimeout("tcp", net.JoinHostPort(to.Address, "2377"), time.Second); err == nil {
			conn.Close()
			_ = s.handOver(ctx, to, from)
		}
		_, err := s.members(ctx, to.Name)
		return err == nil, nil // it answers: there is a leader
	})
}

// handOver tells a manager, in the name of another, to begin an election.
func (s *state) handOver(ctx context.Context, to, from Node) error {
	creds, err := s.credentials(from)
	if err != nil {
		return err
	}
	target, err := s.raftID(to)
	if err != nil {
		return err
	}
	sender, err := s.raftID(from)
	if err != nil {
		return err
	}
	conn, err := grpc.NewClient("passthrough:///"+net.JoinHostPort(to.Address, "2377"), grpc.WithTransportCredentials(creds))
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var answer wire
	return conn.Invoke(ctx, "/docker.swarmkit.v1.Raft/ProcessRaftMessage", timeoutNow(target, sender), &answer, grpc.ForceCodec(codec{}))
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
	pair, err := tls.LoadX509KeyPair(filepath.Join(certificates, "swarm-node.crt"), filepath.Join(certificates, "swarm-node.key"))
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
