package fsys_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
)

func implementations(b *testing.B, run func(b *testing.B, f fsys.FS)) {
	b.Run("fs=host", func(b *testing.B) {
		f := openHost(b, b.TempDir())
		defer f.Close()
		run(b, f)
	})
	b.Run("fs=memory", func(b *testing.B) { run(b, memfs.New()) })
}

func BenchmarkLstat(b *testing.B) {
	implementations(b, func(b *testing.B, f fsys.FS) {
		must(b, f.MkdirAll("/lib/src/deep", 0o755))
		put(b, f, "/lib/src/deep/file.c", "x")
		b.ReportAllocs()
		for b.Loop() {
			if _, err := f.Lstat("/lib/src/deep/file.c"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkLstatParallel(b *testing.B) {
	implementations(b, func(b *testing.B, f fsys.FS) {
		put(b, f, "/file.c", "x")
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := f.Lstat("/file.c"); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

func BenchmarkList(b *testing.B) {
	for _, n := range []int{10, 1000} {
		b.Run(fmt.Sprintf("entries=%d", n), func(b *testing.B) {
			implementations(b, func(b *testing.B, f fsys.FS) {
				must(b, f.Mkdir("/d", 0o755))
				for i := range n {
					put(b, f, fmt.Sprintf("/d/file%04d.c", i), "")
				}
				b.ReportAllocs()
				for b.Loop() {
					if entries, err := f.List("/d"); err != nil || len(entries) != n {
						b.Fatal(len(entries), err)
					}
				}
			})
		})
	}
}

func BenchmarkReadFile(b *testing.B) {
	for _, size := range []int{1 << 10, 64 << 10, 4 << 20} {
		b.Run(fmt.Sprintf("bytes=%d", size), func(b *testing.B) {
			implementations(b, func(b *testing.B, f fsys.FS) {
				put(b, f, "/x", string(bytes.Repeat([]byte("x"), size)))
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					if data, _, err := f.ReadFile("/x", 0); err != nil || len(data) != size {
						b.Fatal(len(data), err)
					}
				}
			})
		})
	}
}

// What a restore does for each file.
func BenchmarkCreateAndRename(b *testing.B) {
	implementations(b, func(b *testing.B, f fsys.FS) {
		must(b, f.MkdirAll("/lib/out/deep", 0o755))
		data := []byte("some bytes")
		b.ReportAllocs()
		for b.Loop() {
			if err := fsys.WriteFileAtomic(f, "/lib/out/deep/file.o", data, 0o644); err != nil {
				b.Fatal(err)
			}
		}
	})
}
