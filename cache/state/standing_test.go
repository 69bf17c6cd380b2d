package state

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/layout"
)

// S-58: a file of what tasks stand on comes back as it was written, and not when it is damaged, of another start of the system, or of another function.
func TestStandingIsBelieved(t *testing.T) {
	mem := memfs.New()
	want := []byte("what tasks stand on")
	Open(mem, digest.BLAKE3).WriteStanding(want, nil)
	read := func(fn digest.Function) []byte {
		got, _ := Open(mem, fn).Standing()
		return got
	}
	if got := read(digest.BLAKE3); !bytes.Equal(got, want) {
		t.Fatalf("%q came back", got)
	}
	if got := read(digest.SHA256); got != nil {
		t.Errorf("another function reads %q", got)
	}
	OpenReadOnly(mem, digest.BLAKE3).WriteStanding([]byte("other"), nil)
	if got := read(digest.BLAKE3); !bytes.Equal(got, want) {
		t.Errorf("who only reads has written %q", got)
	}
	name := layout.StateDir + "/standing"
	whole, _, err := mem.ReadFile(name, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		bad := slices.Clone(whole)
		bad[i] ^= 1
		write(t, mem, name, string(bad))
		if got := read(digest.BLAKE3); got != nil {
			t.Fatalf("with byte %d changed %q is believed", i, got)
		}
		write(t, mem, name, string(whole[:i]))
		if got := read(digest.BLAKE3); got != nil {
			t.Fatalf("cut off at %d %q is believed", i, got)
		}
	}
	write(t, mem, name, string(whole))
	s := Open(mem, digest.BLAKE3)
	s.boot = hasher.Sum(digest.BLAKE3, []byte("another start"))
	if got, _ := s.Standing(); got != nil {
		t.Errorf("of another start of the system %q is believed", got)
	}
}

// S-58: a device is believed while it is mounted as it was.
func TestStandingKnowsMounts(t *testing.T) {
	d := newDisks()
	write(t, d.mem, "/usb/a", "a")
	info, err := d.mem.Lstat("/usb/a")
	if err != nil {
		t.Fatal(err)
	}
	Open(d, digest.BLAKE3).WriteStanding([]byte("x"), map[uint64]string{info.Dev: "/", usbDev: "/usb/a"})
	stands := func() [2]bool {
		_, mounts := Open(d, digest.BLAKE3).Standing()
		return [2]bool{mounts.Stand(info.Dev, "/"), mounts.Stand(usbDev, "/usb/a")}
	}
	if got := stands(); got != [2]bool{true, true} {
		t.Errorf("mounted as they were: %v", got)
	}
	was := d.usb
	for name, usb := range map[string]fsys.Volume{
		"another mount":       {Dev: usbDev, Times: fsys.TimesMarked, Mount: 10},
		"another device":      {Dev: usbDev + 1, Times: fsys.TimesMarked, Mount: 9},
		"times tell nothing":  {Dev: usbDev, Times: fsys.TimesLoose, Mount: 9},
		"a layer, never seen": {Dev: usbDev, Times: fsys.TimesLayered, Mount: 9},
	} {
		if d.usb = usb; stands() != [2]bool{true, false} {
			t.Errorf("%s: it stands", name)
		}
	}
	d.usb = was
	if _, mounts := Open(d, digest.BLAKE3).Standing(); mounts.Stand(99, "/usb/a") {
		t.Error("a device of which nothing was written stands")
	}
	d.usb = fsys.Volume{Dev: usbDev, Times: fsys.TimesLoose, Mount: 9}
	Open(d, digest.BLAKE3).WriteStanding([]byte("x"), map[uint64]string{usbDev: "/usb/a"})
	if d.usb = was; stands()[1] {
		t.Error("a device whose times tell nothing was written down")
	}
}

// S-54: a stat tells something when it is old enough, where times tell.
func TestTells(t *testing.T) {
	d := newDisks()
	write(t, d.mem, "/usb/a", "a")
	s := Open(d, digest.BLAKE3)
	stamp := s.Stamp()
	old := fsys.Info{Kind: fsys.Dir, Dev: usbDev, MTime: stamp - int64(racyWindow), CTime: stamp - int64(racyWindow)}
	young, changed, elsewhere := old, old, old
	young.MTime++
	changed.CTime++
	elsewhere.Dev++
	if !s.Tells("/usb/a", old, stamp) || s.Tells("/usb/a", young, stamp) || s.Tells("/usb/a", changed, stamp) || s.Tells("/usb/a", elsewhere, stamp) || s.Tells("/usb/a", old, 0) {
		t.Error("not what is old enough tells something, and nothing else")
	}
	d.usb.Times = fsys.TimesLoose
	if Open(d, digest.BLAKE3).Tells("/usb/a", old, stamp) {
		t.Error("times tell where they do not")
	}
	d.usb.Times, d.usb.Foreign = fsys.TimesExact, true
	if Open(d, digest.BLAKE3).Tells("/usb/a", old, stamp) {
		t.Error("the times of another machine's clock are compared with ours")
	}
}

// S-55: what was appended to product lists is found, and a log that is another one is known.
func TestProductsSince(t *testing.T) {
	mem := memfs.New()
	list := func(task string, n int) Products { return Products{Task: task, Key: digest.Digest{byte(n)}} }
	s := Open(mem, digest.BLAKE3)
	s.WriteProducts(list("p:a", 1))
	s.WriteProducts(list("p:b", 1))
	log, places := s.ProductLog([]string{"p:a", "p:none", "p:b"})
	l, at := s.ProductsPlace("p:b")
	if l.Key != (digest.Digest{1}) || at != places[2] || at.Size == 0 || places[1] != (Place{}) || places[0] == places[2] || log.Inode == 0 {
		t.Fatalf("%v, %v of %v", l.Key, at, places)
	}
	since := func() string {
		var tasks []string
		ok := Open(mem, digest.BLAKE3).ProductsSince(log, func(task string) { tasks = append(tasks, task) })
		return fmt.Sprint(ok, " ", strings.Join(tasks, " "))
	}
	if got := since(); got != "true " {
		t.Errorf("with nothing appended: %s", got)
	}
	Open(mem, digest.BLAKE3).WriteProducts(list("p:b", 2))
	running := list("p:c", 1)
	running.Running = true
	Open(mem, digest.BLAKE3).WriteProducts(running)
	if got := since(); got != "true p:b p:c" {
		t.Errorf("with two appended: %s", got)
	}
	name := layout.StateDir + "/" + producedName
	whole, _, err := mem.ReadFile(name, 0)
	if err != nil {
		t.Fatal(err)
	}
	write(t, mem, name, string(whole)+"haz produced 1 blake3\ntask \"p:d\"\n")
	if got := since(); got != "true p:b p:c" {
		t.Errorf("with a torn one: %s", got)
	}
	if again, _ := Open(mem, digest.BLAKE3).ProductLog(nil); again.Size != int64(len(whole)) {
		t.Errorf("the log ends at %d, not before what is torn, at %d", again.Size, len(whole))
	}
	for at := range log.Size { // the list that counts then is an older one, or none
		bad := bytes.Clone(whole)
		bad[at] ^= 1
		write(t, mem, name, string(bad))
		if got := since(); got != "false " {
			t.Errorf("with another bit at %d: %s", at, got)
		}
		write(t, mem, name, string(bad[:log.Size]))
		if got := since(); got != "false " {
			t.Errorf("with another bit at %d, and nothing appended: %s", at, got)
		}
	}
	write(t, mem, name, string(whole))
	if got := since(); got != "true p:b p:c" {
		t.Errorf("whole again: %s", got)
	}
	write(t, mem, name, string(whole[:log.Size-1]))
	if got := since(); got != "false " {
		t.Errorf("cut off: %s", got)
	}
	if err := mem.Remove(name); err != nil {
		t.Fatal(err)
	}
	if got := since(); got != "false " {
		t.Errorf("gone: %s", got)
	}
	write(t, mem, name, string(whole))
	if got := since(); got != "false " {
		t.Errorf("in another file: %s", got)
	}
}

// A file that is proven has the digest that is asked for.
func TestProven(t *testing.T) {
	mem := memfs.New()
	write(t, mem, "/a", "a")
	mem.Advance(time.Hour)
	s := Open(mem, digest.BLAKE3)
	info, err := mem.Lstat("/a")
	if err != nil {
		t.Fatal(err)
	}
	sum := hasher.Sum(digest.BLAKE3, []byte("a"))
	if s.Proven("/a", info, sum) {
		t.Error("what nobody has read is proven")
	}
	if _, err := s.Digest(t.Context(), "/a", info); err != nil {
		t.Fatal(err)
	}
	other := info
	other.MTime--
	if !s.Proven("/a", info, sum) || s.Proven("/a", other, sum) || s.Proven("/a", info, digest.Digest{1}) {
		t.Error("not what was read is proven, and nothing else")
	}
}
