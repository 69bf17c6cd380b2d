package looks

import (
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/packed"
)

// startMost bounds what is read of the beginning of a file; nobody asks for more.
const startMost = 16 << 20

// Pack codes the list.
func (l *List) Pack(c *packed.Coder) {
	var mounts packed.Slices[mount]
	mounts.Code(c, &l.mounts, 7, func(m *mount) {
		packDisk(c, &m.disk)
		c.String(&m.name)
		c.Uint64(&m.volume.Dev)
		packed.Uint(c, &m.volume.Times)
		c.Uint64(&m.volume.Mount)
		c.Uint64(&m.volume.Super)
		c.Bool(&m.volume.Foreign)
	})
	var looks packed.Slices[look]
	looks.Code(c, &l.looks, 5, func(k *look) { k.pack(c) })
	if !c.Reading() {
		return
	}
	for i := 1; i < len(l.looks); i++ {
		if l.looks[i-1].compare(l.looks[i].asked) >= 0 {
			c.Fail()
			return
		}
	}
}

func packDisk(c *packed.Coder, d *Disk) {
	if packed.Uint(c, d); *d >= disks {
		*d = 0
		c.Fail()
	}
}

func (k *look) pack(c *packed.Coder) {
	c.String(&k.name)
	packDisk(c, &k.disk)
	packed.Uint(c, &k.kind)
	packed.Int(c, &k.limit)
	packed.Uint(c, &k.err)
	if k.kind == 0 || k.kind > kinds || k.err >= troubles || k.limit < 0 || k.kind == readStart && k.limit > startMost {
		c.Fail()
		return
	}
	switch {
	case k.err != none:
	case k.kind <= stat:
		packed.Uint(c, &k.info.Kind)
		packed.Uint(c, &k.info.Perm)
		c.Uint64(&k.info.Inode)
		c.Uint64(&k.info.Dev)
	case !k.kind.hasContents():
		c.String(&k.text)
	default:
		c.Raw(k.sum[:])
		k.packProven(c)
	}
}

// packProven codes what Info.Same compares.
func (k *look) packProven(c *packed.Coder) {
	p := &k.proven
	if packed.Uint(c, &p.Kind); p.Kind == fsys.Unknown {
		return
	}
	packed.Int(c, &p.Size)
	packed.Int(c, &p.MTime)
	packed.Int(c, &p.CTime)
	c.Uint64(&p.Inode)
	c.Uint64(&p.Dev)
}
