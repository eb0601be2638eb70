package lab

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestUnitsToMask(t *testing.T) {
	root, layer := t.TempDir(), t.TempDir()
	touch := func(root, path string) {
		t.Helper()
		full := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	touch(root, "etc/systemd/system/multi-user.target.wants/database.service")
	touch(root, "etc/systemd/system/timers.target.wants/apt-daily.timer")
	touch(root, "etc/systemd/system/multi-user.target.requires/mail.service")
	touch(root, "etc/rc3.d/S01oldstyle")
	touch(root, "etc/rc3.d/K01stopped")
	touch(root, "etc/rc3.d/S02ssh")
	touch(layer, "etc/systemd/system/multi-user.target.wants/docker.service")
	touch(layer, "etc/systemd/system/multi-user.target.wants/database.service")
	got := unitsToMask(root, layer)
	for _, want := range []string{"database.service", "apt-daily.timer", "mail.service", "oldstyle.service", "systemd-timesyncd.service", "systemd-sysctl.service"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not masked", want)
		}
	}
	for _, not := range []string{"docker.service", "ssh.service", "stopped.service"} {
		if slices.Contains(got, not) {
			t.Errorf("%s is masked", not)
		}
	}
	if compact := slices.Compact(slices.Clone(got)); len(compact) != len(got) {
		t.Errorf("some are named twice: %q", got)
	}
}

// A unit that is masked and allowed at once would depend on the order.
func TestUnitListsAreApart(t *testing.T) {
	for _, u := range unwanted {
		if slices.Contains(allowed, u) {
			t.Errorf("%s is both unwanted and allowed", u)
		}
	}
}

func TestFindMirror(t *testing.T) {
	for name, c := range map[string]struct{ text, uri, keyring string }{
		"deb822": {"Types: deb\n# a comment: here\nURIs: http://security.example/debian\nSuites: bookworm-security\nComponents: main\n\n" +
			"Types: deb deb-src\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: /keys/a.gpg\n",
			"http://mirror.example/debian", "/keys/a.gpg"},
		"disabled":       {"Types: deb\nEnabled: no\nURIs: http://mirror.example/debian\nSuites: bookworm\n", "", ""},
		"inline key":     {"Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm\nSigned-By: -----BEGIN PGP\n", "http://mirror.example/debian", defaultKeyring},
		"one line":       {"# deb http://old.example/ bookworm main\ndeb http://mirror.example/debian bookworm main contrib\n", "http://mirror.example/debian", defaultKeyring},
		"with options":   {"deb [arch=amd64 signed-by=/keys/b.gpg] http://mirror.example/debian bookworm main\n", "http://mirror.example/debian", "/keys/b.gpg"},
		"other suite":    {"deb http://mirror.example/debian trixie main\n", "", ""},
		"sources of deb": {"deb-src http://mirror.example/debian bookworm main\n", "", ""},
	} {
		uri, keyring := findMirror(c.text, "bookworm")
		if uri != c.uri || keyring != c.keyring {
			t.Errorf("%s: got %q %q, want %q %q", name, uri, keyring, c.uri, c.keyring)
		}
	}
}

func TestMissingPackages(t *testing.T) {
	have := map[string]bool{"ip": true, "ssh": true, "mount": true, "go": true, "nsenter": true, "unshare": true, "flock": true}
	got := missingPackages(func(c string) (string, error) {
		if have[c] {
			return "/bin/" + c, nil
		}
		return "", errors.New("not found")
	})
	if want := []string{"systemd-container", "openssh-client", "age"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPinToInstalled(t *testing.T) {
	madison := " systemd-container | 252.39-1~deb12u2 | http://mirror.example/debian bookworm/main amd64 Packages\n" +
		" systemd-container | 252.38-1~deb12u1 | http://mirror.example/debian-security bookworm-security/main amd64 Packages\n"
	pkgs := []string{"age", "systemd-container"}
	if got := pinToInstalled(pkgs, "systemd 252.38-1~deb12u1\n", madison); !slices.Equal(got, []string{"age", "systemd-container=252.38-1~deb12u1"}) {
		t.Errorf("got %q", got)
	}
	if got := pinToInstalled(pkgs, "systemd 251-1\n", madison); !slices.Equal(got, pkgs) {
		t.Errorf("a version that the archive lacks is asked for: %q", got)
	}
}

// A layer is built again when a package that it is built over changes, and
// only then.
func TestLayerDir(t *testing.T) {
	one := layerDir("sid", keepLines("libc6:amd64 2.36\nvim 9\n", foundation))
	if two := layerDir("sid", keepLines("vim 10\nlibc6:amd64 2.36\n", foundation)); two != one {
		t.Errorf("another editor gives another layer: %s, %s", one, two)
	}
	if two := layerDir("sid", keepLines("libc6:amd64 2.37\nvim 9\n", foundation)); two == one {
		t.Errorf("another libc6 gives the same layer: %s", one)
	}
	if !strings.HasPrefix(one, Root+"/base-sid-") {
		t.Errorf("got %s", one)
	}
	if err := validateName(filepath.Base(one)); err == nil {
		t.Errorf("a lab could be named like the layer %s", one)
	}
}

func TestMountsBelow(t *testing.T) {
	info := "36 25 0:4 net:[1] /labs/one/switch.netns rw - nsfs nsfs rw\n25 0 8:1 / / rw - ext4 /dev/sda rw\n37 25 0:4 / /labs/onemore rw - tmpfs t rw\n"
	if got := mountsBelow(info, "/labs/one"); !slices.Equal(got, []string{"/labs/one/switch.netns"}) {
		t.Errorf("got %q", got)
	}
}

func TestOSField(t *testing.T) {
	text := "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_CODENAME=bookworm\n"
	if got := osField(text, "VERSION_CODENAME"); got != "bookworm" {
		t.Errorf("got %q", got)
	}
	if got := osField(text, "PRETTY_NAME"); got != "Debian GNU/Linux 12 (bookworm)" {
		t.Errorf("got %q", got)
	}
}
