package haz

import (
	"encoding/binary"
	"fmt"
	"os"
	"sync"
	"unsafe"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/looks"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/packed"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/load"
)

// A compiled workspace (haz::cfg::069) is what loading and graph building came to, in a file of the state, with all that was looked at on
// the way: as long as that would be seen again, nothing need be read, parsed and related anew. Runs write it; whatever opens a workspace
// reads it. Whether manifests are forgiven their mistakes makes no difference: where there is one, a part is missing, and nothing is compiled.
//
// What loading depends on beside looks stands in the file as well, in its identity or beside it: which program wrote it, where the root is
// and how it was found, options, who looks, and where haz was started. Finding the root, and asking who owns it, is done each time.
const (
	compiledName   = "compiled"
	compiledFormat = 1 // of what is packed; another program has another identity anyway
)

// compiling is the compiled form of one open workspace. Nil is that of one which has none.
type compiling struct {
	found    *load.Found
	disks    looks.Disks
	stateFS  fsys.FS
	start    string // where haz was started
	identity string

	mu       sync.Mutex
	recorder *looks.Recorder // of the loading of this workspace; nil where it was recalled
	known    *looks.List     // those on disk
	madeAt   string          // where haz was started when what is on disk was looked at
	bound    bool            // it is right for that start alone
	read     int             // contents that were read to recall it
	model    []byte          // packed
	done     bool            // nothing is to be written
}

// compiling is nil where a workspace is never compiled (haz::cfg::074).
func (o *options) compiling(found *load.Found, dir string, how load.Options) *compiling {
	who := o.program()
	if o.long || how.Declared != nil || who == "" {
		return nil
	}
	fs := o.stateFS(found.Root, found.FS)
	if fs == nil {
		return nil
	}
	return &compiling{found: found, disks: looks.Disks{looks.Host: o.host, looks.Root: found.FS}, stateFS: fs, start: dir,
		identity: fmt.Sprintf("%d %s uid %d mode %d machine %t root %s", compiledFormat, who, os.Geteuid(), found.Mode, o.realHost, found.Root)}
}

// program tells this program, as it was built, from all others; "" when that is not known.
var program = sync.OnceValue(func() string {
	info, err := fsys.Program()
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d %d %d %d %d", info.Dev, info.Inode, info.Size, info.MTime, info.CTime)
})

// watch takes note of what loading looks at.
func (c *compiling) watch() func(host, root fsys.FS) (fsys.FS, fsys.FS) {
	if c == nil {
		return nil
	}
	c.recorder = looks.NewRecorder(layout.CacheDir, layout.StateDir)
	return func(host, root fsys.FS) (fsys.FS, fsys.FS) {
		return c.recorder.Watch(looks.Host, host), c.recorder.Watch(looks.Root, root)
	}
}

// recall is what loading would come to, or nil where that is not known.
func (c *compiling) recall() (*workspace.Workspace, *graph.Graph) {
	if c == nil {
		return nil, nil
	}
	st := state.OpenReadOnly(c.stateFS, digest.BLAKE3)
	defer st.Flush() // gives handles back
	file, told, ok := st.Kept(compiledName)
	if !ok || len(file) < 8 || binary.LittleEndian.Uint64(file) > uint64(len(file)-8) {
		return nil, nil
	}
	headSize := binary.LittleEndian.Uint64(file)
	head := packed.Read(text(file[8 : 8+headSize]))
	known, identity := &looks.List{}, ""
	if c.packHead(head, &identity, known); !head.Ended() || identity != c.identity {
		return nil, nil
	}
	c.known = known
	var seen bool
	if seen, c.read = known.Seen(c.disks, !told); !seen {
		return nil, nil
	}
	w, g := unpack(text(file[8+headSize:]))
	if w == nil || c.madeAt != c.start && (c.bound || !c.found.Plain(w)) {
		return nil, nil
	}
	c.model, c.done = file[8+headSize:], c.read == 0
	return w, g
}

// text is some bytes as they are, which nobody changes.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// packHead codes all but the workspace itself.
func (c *compiling) packHead(k *packed.Coder, identity *string, list *looks.List) {
	k.String(identity)
	k.String(&c.madeAt)
	k.Bool(&c.bound)
	list.Pack(k)
}

// unpack is nil for what no pack has made.
func unpack(model string) (*workspace.Workspace, *graph.Graph) {
	k := packed.Read(model)
	w := &workspace.Workspace{}
	if w.Pack(k); k.Failed() {
		return nil, nil
	}
	g := &graph.Graph{W: w}
	if g.Pack(k); !k.Ended() {
		return nil, nil
	}
	return w, g
}

// pack is nil for a workspace that has no packed form.
func pack(w *workspace.Workspace, g *graph.Graph) []byte {
	k := packed.Write()
	w.Pack(k)
	if g.Pack(k); k.Failed() {
		return nil
	}
	return k.Bytes()
}

// keep writes the compiled form when it is new, or when it can be proven by now that contents which were read to recall it are what they
// were (haz::cfg::073). It is for the end of a run: nobody waits for it.
func (c *compiling) keep(w *Workspace, st *state.State) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done {
		return
	}
	c.done = true
	list, fresh := c.known, c.recorder != nil
	if fresh {
		var ok bool
		if list, ok = c.recorder.Looks(); !ok {
			return
		}
		c.madeAt, c.bound, c.model = c.start, !c.found.Plain(w.W), pack(w.W, w.G)
	}
	if c.model == nil || list.Prove(c.disks, judge{st}, c.known) != nil || !fresh && list.Unproven() >= c.read {
		return
	}
	head := packed.Write()
	if c.packHead(head, &c.identity, list); head.Failed() {
		return
	}
	b := head.Bytes()
	st.Keep(compiledName, binary.LittleEndian.AppendUint64(nil, uint64(len(b))), b, c.model)
}

// judge asks the state of the workspace.
type judge struct{ *state.State }

func (j judge) Settled(disk looks.Disk, name string, info fsys.Info, stamp int64) (settled, ask bool) {
	if disk == looks.Host {
		name = state.MachineName(name)
	}
	return j.State.Settled(name, info, stamp)
}
