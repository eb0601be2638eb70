package main

import (
	"fmt"
	"io"
	"strings"
)

const intro = `# What requeen costs

<!-- Rendered from results.json by make bench; don't edit. -->

How to read this. Each row compares requeen with what one would do without it.
Both sides were measured in the same run and in turn, and each round gives one
ratio: requeen's value by the other's. Times of a small virtual machine move
about, so the ratio is what counts, and its spread says how far to believe it: half
of the rounds lie in the range called "middle half", all of them in "all". The
values in the columns before are medians. A bound is a bound on the median ratio;
` + "`make bench`" + ` fails when one is broken. results.json has every single value.

To measure again: ` + "`make bench`" + `, as root on a Debian 12 machine with nothing else to
do; ` + "`go run ./internal/lab/bench -only plan`" + ` does one section and keeps
the others as they are.
`

// about says of each section what was measured and how.
var about = map[string]string{
	sectionDowntime: `## Engine down in a backup

The time from the last answer of the engine's API before the stop to its first answer
after the start, to a prober that asks the engine's socket for ` + "`/_ping`" + ` every 5 ms. The
same for all three, on the same manager, in turn; managers are drained, so that no
container's stop is in the time and hides what a backup adds. Between two of them the
swarm is whole again and the machine has settled.

The bounds are on a swarm of one manager, which serves as soon as it has started. With
three the measured one is a follower, and its engine answers only when the leader has
connected to it again: it tries after one second, then two, then three, and so on, so that zero to four
seconds of chance are in all three ways and hide what the copy adds. That is what an
operator sees, and is told without a bound.

- requeen: ` + "`requeen apply FILE`" + ` of a plan of that manager's backup
- bare stop and start: ` + "`systemctl stop docker.socket docker.service; systemctl start docker.socket docker.service`" + `
- the usual script: the same with ` + "`tar czf /root/swarm.tgz -C /var/lib/docker swarm`" + ` between
`,
	sectionMemory: `## Memory of apply

On the machine where requeen runs. The peak of resident memory is what the kernel tells
when a process has ended: the most that any one process of the command had, which
is requeen itself. The other side is a ` + "`plan`" + ` of the same swarm, just before: it loads the
same program and looks at the same hosts, so that the ratio is what reading, proving,
encrypting and storing take. Plaintext of the swarm directory is not put on a disk but into
a directory in memory, which resident memory does not count; the most that was there,
sampled every 20 ms, is compared with the content of the directory, without the log's
preallocated space. What an apply needs in all is the sum of both.
`,
	sectionRecovery: `## From a loss to three managers

From the moment at which the loss can be seen until the swarm's leader tells three
reachable managers. The same lab of three managers and a worker for both ways, in turn,
whole and calm before each round; managers are drained.

Two of three managers lost: two lose their power and come back with new disks, and the clock
starts when the survivor says that there is no leader. Every manager lost: all three come
back with new disks, after a follower was backed up.

A cluster that is forced as it runs waits for an election, mostly for 10 to 20 s, and a
restored engine looks for the other managers first, for 20 s more: that is where the time
of the procedure goes. requeen's goes into looking twice (plan and apply), the stop, the safety
copy and its proof, two starts of an engine for each host, and the joins, one after the other. The bound
is on a survivor that followed, which two of three are.

- requeen: ` + "`requeen plan -out FILE`" + ` and ` + "`requeen apply -digest … FILE`" + `. That keeps what the
  survivor had not marked committed, stores what it held, fences, and proves what it restores
- the documented procedure, as a script without a pause: of a loss of two, ` + "`docker swarm init --force-new-cluster`" + `
  on the survivor; of a loss of all, stop, put the copy in place, start, init; then for each other
  host: clean, start, join, wait until it is reachable, remove the old entry
`,
	sectionPlan: `## Time of plan

From the start of the command to its end: ssh to every declared node, the look at it, the
swarm's account of itself, the repository, the decision. Both on one swarm of fifty
nodes, in turn: a configuration that declares its three managers, and one that
declares all fifty. The nodes, their sshd and engines all run on this one machine, as does
requeen; fifty machines of their own would answer sooner.
`,
	sectionSize: `## Size of the program

The stripped, static program of ` + "`make build`" + ` by the programs of the lab's engine. A size
has no spread.
`,
	sectionArchive: `## Archive of a directory

A directory of mixed data, as volumes hold it, into an archive on the same disk: from the
start of the first command until the archive is durable. Here more is better: the ratio of
throughputs is requeen's by the other's. Every way finds the data warm: all of it is read
just before, so that what is compared is the programs and not the disk's reading. The data is drawn from
fixed seeds, and nothing is there twice; throughput counts its content without
holes. The four ways take turns, and what one made is removed before the next.

- requeen: the host's tar (` + "`tar --sparse --numeric-owner --xattrs -cf -`" + `) into what stores the
  archive of a volume or directory: zstd, age, SHA-256 on the way, synced, read back and compared, the manifest
- tar | zstd: ` + "`tar -S -C d -cf - . | zstd -q -o f; sync f`" + `, which encrypts nothing; without
  -S it would read holes, and be slower
- restic: ` + "`restic backup d`" + ` into a new repository on the disk, which is made before the clock starts
- tar | zstd | age: as above with age between, told without a bound

Memory is the peak of resident memory of each process, sampled every 10 ms, and of a pipeline
the sum. Processor time is of all processes of a way; where other work takes turns of the
processors it is steadier than throughput.
`,
}

// text is results.md.
func (r *Results) text() string {
	var b strings.Builder
	b.WriteString(intro)
	for _, s := range r.Sections {
		b.WriteString("\n" + about[s.Name] + "\n")
		s.table(&b)
		for _, n := range s.Notes {
			b.WriteString("\n" + n + "\n")
		}
		engine := ""
		if s.Engine != "" {
			engine = "with engine " + s.Engine + ", "
		}
		fmt.Fprintf(&b, "\nMade %s by `%s`, %son %s.\n", s.Made, s.Command, engine, s.Machine)
	}
	return b.String()
}

func (s *Section) table(b io.StringWriter) {
	_, _ = b.WriteString("| what | requeen | compared with | ratio: median | middle half | all | n | bound |\n|---|---|---|---|---|---|---|---|\n")
	for _, r := range s.Rows {
		sp := r.spread()
		middle, all, bound := "–", "–", "–"
		if sp.N > 1 {
			middle = fmt.Sprintf("%.2f to %.2f", sp.Q1, sp.Q3)
			all = fmt.Sprintf("%.2f to %.2f", sp.Min, sp.Max)
		}
		if r.Bound != nil {
			bound = r.Bound.String() + ", kept"
			if !r.Bound.holds(sp.Median) {
				bound = r.Bound.String() + ", **broken**"
			}
		}
		_, _ = b.WriteString(fmt.Sprintf("| %s | %s: %s | %s: %s | **%.2f** | %s | %s | %d | %s |\n",
			cell(r.What), cell(r.Ours.Label), r.Ours.middle(), cell(r.Other.Label), r.Other.middle(), sp.Median, middle, all, sp.N, bound))
	}
}

// cell is text in a cell of a table, of which a pipe would begin the next.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// middle is a series' median with its unit.
func (s *Series) middle() string {
	m := spreadOf(s.Values).Median
	switch {
	case s.Unit == "s":
		return fmt.Sprintf("%.2f s", m)
	case s.Unit == "bytes/s":
		return fmt.Sprintf("%.0f MB/s", m/1e6)
	case m >= 10e6:
		return fmt.Sprintf("%.0f MB", m/1e6)
	case m >= 1e6:
		return fmt.Sprintf("%.1f MB", m/1e6)
	default:
		return fmt.Sprintf("%.0f KB", m/1e3)
	}
}
