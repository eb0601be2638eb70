package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/lab"
)

// newLabCommand is `requeen lab`: a real, disposable swarm to try things on.
func newLabCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "Make and remove a disposable swarm on this machine",
		Long: `A lab is a real Docker swarm on one Linux machine: every node is a
systemd-nspawn container with its own systemd, Docker engine, sshd, network
namespace and address. It needs root on Debian 12; it touches no engine,
interface, firewall rule or file of the machine.`,
	}
	cmd.AddCommand(newLabUpCommand(), newLabStatusCommand(), newLabSSHCommand(), newLabBreakCommand(), newLabHealCommand(),
		newLabAddCommand(), newLabSnapshotCommand(), newLabResetCommand(), newLabDownCommand())
	return cmd
}

func newLabUpCommand() *cobra.Command {
	var o lab.Options
	var suites string
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Make a lab, or finish one that was left half made",
		Long: `Makes a swarm with secrets, configs, services and an overlay network, and
writes the configuration for it. The first lab of a suite builds a base layer
from the machine's package mirror; later ones start from it. Running it again
boots the nodes of the lab that were stopped, and leaves its swarm as it is.

The packages of the nodes go into the base layer, never onto the machine. What
the machine itself lacks is named, and installed only with -install.

With -autolock the unlock key is kept in the lab's directory. That is for a lab
only: elsewhere a key beside the lock is worth nothing.`,
		Example: "  requeen lab up -install\n  requeen lab up -name five -managers 5 -workers 0 -autolock -suite sid\n  requeen lab up -name mixed -suite sid,m2=bookworm,w1=trixie",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Suite, o.NodeSuites, err = parseSuites(suites); err != nil {
				return err
			}
			if o.Dir != "" {
				dir, err := filepath.Abs(o.Dir)
				if err != nil {
					return err
				}
				o.Dir = dir
			}
			start := time.Now()
			l, err := lab.Up(cmd.Context(), o, func(line string) {
				fmt.Fprintf(cmd.ErrOrStderr(), "%5.1f s  %s\n", time.Since(start).Seconds(), line)
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Lab %s is up after %.1f s. Its configuration is in %s:\n\n  export RQ_SSH_CONFIG=%s\n  requeen -chdir=%s plan\n\nIts tasks start within half a minute. To enter a node: requeen lab ssh%s m1\n",
				l.Name(), time.Since(start).Seconds(), l.Dir(), l.SSHConfig(), l.Dir(), labFlag(l.Name()))
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Name, "name", lab.DefaultName, "`NAME` of the lab and of its cluster")
	f.StringVar(&o.Dir, "dir", "", "`DIR` of the lab (default "+lab.Root+"/NAME)")
	f.IntVar(&o.Managers, "managers", 3, "`NUMBER` of managers, m1, m2, …")
	f.IntVar(&o.Workers, "workers", 1, "`NUMBER` of workers, w1, w2, …")
	f.StringVar(&suites, "suite", lab.Suites[0], "Debian `SUITE` of the engine: "+strings.Join(lab.Suites, ", ")+"; a node may have another: sid,m2=bookworm")
	mayBe(cmd, "suite", lab.Suites...)
	f.BoolVar(&o.Autolock, "autolock", false, "lock the managers' keys; the unlock key is kept in the lab's directory")
	f.BoolVar(&o.DrainManagers, "drain-managers", false, "give managers no tasks")
	f.BoolVar(&o.Install, "install", false, "install the packages that this machine lacks")
	return cmd
}

// parseSuites reads SUITE,NODE=SUITE,….
func parseSuites(text string) (suite string, nodes map[string]string, err error) {
	nodes = map[string]string{}
	for i, part := range strings.Split(text, ",") {
		node, other, named := strings.Cut(part, "=")
		switch {
		case i == 0 && !named:
			suite = part
		case i > 0 && named && node != "" && other != "" && nodes[node] == "":
			nodes[node] = other
		default:
			return "", nil, fmt.Errorf("-suite %s is not understood at %q: write the suite of all nodes, then single ones, as in sid,m2=bookworm,w1=trixie", text, part)
		}
	}
	return suite, nodes, nil
}

// labFlag is what other commands need to find a lab.
func labFlag(name string) string {
	if name == lab.DefaultName {
		return ""
	}
	return " -name " + name
}

func newLabStatusCommand() *cobra.Command {
	var name string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the nodes of a lab",
		Long: `Shows what runs on every node of a lab, what its engine says of the swarm, and
what it is cut off from.`,
		Example: "  requeen lab status -json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := lab.Open(name)
			if err != nil {
				return err
			}
			st, err := l.Status(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(st)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Lab %s in %s: %s, network %s, engine of %s\n\n", st.Name, st.Dir, st.Phase, st.Network, st.Suite)
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
			fmt.Fprintln(w, "NODE\tROLE\tADDRESS\tRUNS\tENGINE\tSWARM\tBROKEN\tCUT OFF FROM\tERROR")
			for _, n := range st.Nodes {
				fmt.Fprintf(w, "%s\t%s\t%s\t%t\t%s\t%s\t%s\t%s\t%s\n", n.Name, n.Role, n.Address, n.Running, n.Engine, n.Swarm, n.Broken, strings.Join(n.Cut, ","), n.Error)
			}
			if err := w.Flush(); err != nil || len(st.Snapshots) == 0 {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "\nSnapshots: %s\n", strings.Join(st.Snapshots, ", "))
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "name", lab.DefaultName, "`NAME` of the lab")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newLabSSHCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:               "ssh NODE [COMMAND…]",
		Short:             "Enter a node of a lab, or run a command there",
		Long:              "Runs the system's ssh with the lab's keys, as root, or as the user in USER@NODE.\nEverything after NODE is the command.",
		Annotations:       map[string]string{"passes-on": "true"},
		Example:           "  requeen lab ssh m1\n  requeen lab ssh ops@m2 sudo systemctl status docker",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeLabNode,
		RunE: func(_ *cobra.Command, args []string) error {
			l, err := lab.Open(name)
			if err != nil {
				return err
			}
			argv, err := l.Command(args[0], args[1:]...)
			if err != nil {
				return err
			}
			path, err := exec.LookPath(argv[0])
			if err != nil {
				return errors.New("ssh is not installed on this machine: apt-get install openssh-client")
			}
			return syscall.Exec(path, argv, os.Environ())
		},
	}
	cmd.Flags().StringVar(&name, "name", lab.DefaultName, "`NAME` of the lab")
	cmd.Flags().SetInterspersed(false)
	return cmd
}

func newLabDownCommand() *cobra.Command {
	var name string
	var purge bool
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Remove a lab",
		Long: `Ends every process of the lab and removes its network, disks, keys and
repository, whatever state it is in. The base layers stay, so that the next lab
starts fast; -purge removes those that no other lab uses.`,
		Example: "  requeen lab down\n  requeen lab down -name five -purge",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			say := func(line string) { fmt.Fprintln(cmd.ErrOrStderr(), line) }
			left, err := lab.Down(cmd.Context(), name, say)
			if err != nil {
				return err
			}
			for _, f := range left {
				say("left, the lab did not make it: " + f)
			}
			if purge {
				return lab.Purge(cmd.Context(), say)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "name", lab.DefaultName, "`NAME` of the lab")
	cmd.Flags().BoolVar(&purge, "purge", false, "remove cached base layers and images as well")
	return cmd
}
