package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/lab"
	"github.com/requeen/requeen/schema"
)

// newCompletionCommand is `requeen completion`: the scripts by which shells ask
// this program what may come next.
func newCompletionCommand(a *app) *cobra.Command {
	shells := []string{"bash", "zsh", "fish"}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "Write the completion script of a shell",
		Long: `Prints the script by which a shell completes requeen's commands, flags and
values. It asks this program each time the key is pressed, so it need not be
written again for a newer version.

For one session of bash or zsh, or of fish:

  source <(requeen completion bash)
  source <(requeen completion zsh)
  requeen completion fish | source

For good, as root, where the shell looks for it:

  requeen completion bash > /usr/share/bash-completion/completions/requeen
  requeen completion zsh  > /usr/share/zsh/vendor-completions/_requeen
  requeen completion fish > /usr/share/fish/vendor_completions.d/requeen.fish`,
		Example:   "  source <(requeen completion bash)",
		Args:      cobra.ExactArgs(1),
		ValidArgs: shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				if _, err := io.WriteString(a.out, bashWords); err != nil {
					return err
				}
				return root.GenBashCompletionV2(a.out, true)
			case "zsh":
				return root.GenZshCompletion(a.out)
			case "fish":
				return root.GenFishCompletion(a.out, true)
			}
			return diag.Diagnostic{Severity: diag.Error, Summary: fmt.Sprintf("There is no script for the shell %q", args[0]),
				Remedy: "name one of " + strings.Join(shells, ", ")}
		},
	}
}

// bashWords stands in for the function of the package bash-completion where
// that is not installed: it joins what bash splits at = and :, as in -chdir=DIR.
const bashWords = `# What the package bash-completion has, for where it is not installed.
if ! declare -F _get_comp_words_by_ref >/dev/null; then
_get_comp_words_by_ref() {
    local i joined=0
    words=() cword=0
    for ((i = 0; i <= COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        =*|:*) if ((i > 1)); then words[cword]+=${COMP_WORDS[i]} joined=1; continue; fi ;;
        esac
        if ((joined)); then words[cword]+=${COMP_WORDS[i]} joined=0; continue; fi
        ((i > 0)) && ((cword += 1))
        words[cword]=${COMP_WORDS[i]}
    done
    cur=${words[cword]}
    prev=${words[cword > 0 ? cword - 1 : 0]}
}
fi

`

// isCompletion tells whether a shell asks what may come next.
func isCompletion(args []string) bool {
	return len(args) > 1 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}

// complete answers a shell. The word that is being typed is given to cobra in
// the form that it knows, and the answers in the form that was typed: -out for
// -o, --out for --o.
func (a *app) complete(root *cobra.Command, args []string) error {
	typed := args[len(args)-1]
	reader := argReader{current: root}
	asked := []string{args[0]}
	for _, arg := range args[1 : len(args)-1] {
		asked = append(asked, reader.next(arg))
	}
	single := !reader.passOn && !reader.valueNext && strings.HasPrefix(typed, "-") && !strings.HasPrefix(typed, "--")
	if single {
		typed = "-" + typed
	}
	var answers bytes.Buffer
	root.SetArgs(append(asked, typed))
	root.SetOut(&answers)
	err := root.Execute()
	for line := range strings.Lines(answers.String()) {
		if strings.HasPrefix(line, helpName+"\t") {
			continue
		}
		if single && strings.HasPrefix(line, "--") {
			line = line[1:]
		}
		fmt.Fprint(a.out, strings.ReplaceAll(line, "`", ""))
	}
	return err
}

// finishCompletion says what the values of flags and the arguments of commands
// can be: files and directories where the help says FILE and DIR, nothing where
// only the operator knows.
func finishCompletion(cmd *cobra.Command) {
	if cmd.ValidArgsFunction == nil && len(cmd.ValidArgs) == 0 && !strings.Contains(cmd.Use, "FILE") {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
	for _, flags := range []*pflag.FlagSet{cmd.LocalNonPersistentFlags(), cmd.PersistentFlags()} {
		flags.VisitAll(func(f *pflag.Flag) {
			if _, has := cmd.GetFlagCompletionFunc(f.Name); has {
				return
			}
			switch value, _ := pflag.UnquoteUsage(f); value {
			case "FILE":
			case "DIR":
				_ = cmd.MarkFlagDirname(f.Name)
			default:
				_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.NoFileCompletions)
			}
		})
	}
	for _, c := range cmd.Commands() {
		finishCompletion(c)
	}
}

// mayBe offers fixed values for a flag.
func mayBe(cmd *cobra.Command, flag string, values ...string) {
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag does not exist
	}
}

// completeCommand offers the commands below those that were typed.
func completeCommand(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	at, ok := find(cmd.Root(), args)
	if !ok {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, p := range pageOf(at).Commands {
		names = append(names, cobra.CompletionWithDesc(p.Name, p.Short))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeLabNode offers the nodes of the lab of -name; what follows the node
// is a command line over there.
func completeLabNode(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	name, err := cmd.Flags().GetString("name")
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	l, err := lab.Open(name)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	nodes, err := l.Nodes()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, n := range nodes {
		names = append(names, cobra.CompletionWithDesc(n.Name, n.Role))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeNodes offers what the configuration declares for the flags that name
// nodes; nothing where it does not load.
func (a *app) completeNodes(cmd *cobra.Command, f *configFlags) {
	declared := func(list func(*schema.Config) []string) cobra.CompletionFunc {
		return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			if a.enter() != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			cfg, _ := schema.Load(".", schema.Options{Inputs: f.inputs, Environ: os.Environ()})
			if cfg == nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return list(cfg), cobra.ShellCompDirectiveNoFileComp
		}
	}
	for flag, list := range map[string]func(*schema.Config) []string{"target": targetsOf, "onto": managersOf} {
		if err := cmd.RegisterFlagCompletionFunc(flag, declared(list)); err != nil {
			panic(err) // the flag does not exist
		}
	}
}

func managersOf(cfg *schema.Config) []string {
	var list []string
	for _, n := range cfg.Nodes {
		if n.Role == schema.RoleManager {
			list = append(list, n.Name)
		}
	}
	return list
}

// completeLatest offers the newest backup.
var completeLatest = cobra.FixedCompletions([]string{cobra.CompletionWithDesc("latest", "the newest backup")}, cobra.ShellCompDirectiveNoFileComp)
