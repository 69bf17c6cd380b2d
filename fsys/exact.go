package fsys

import (
	"errors"
	"io"
)

// ErrOtherSize says that a file has not the size that was asked for.
var ErrOtherSize = errors.New("the file has another size")

// ReadExact fills into with the bytes of a regular file, which must have just as many (ErrOtherSize), and fails as OpenNoFollow does. The
// Info is that of the opened file, from before the read; with ErrOtherSize, too.
func ReadExact(f FS, name string, into []byte) (Info, error) {
	if o, ok := f.(interface {
		ReadExact(name string, into []byte) (Info, error)
	}); ok {
		return o.ReadExact(name, into)
	}
	file, err := f.OpenNoFollow(name)
	if err != nil {
		return Info{}, err
	}
	defer file.Close()
	info, err := FileInfo(file)
	if err == nil && info.Size != int64(len(into)) {
		err = pathError("read", Clean(name), ErrOtherSize)
	}
	if err == nil && len(into) > 0 {
		if _, err = io.ReadFull(file, into); err == io.EOF || err == io.ErrUnexpectedEOF {
			err = pathError("read", Clean(name), io.ErrUnexpectedEOF)
		}
	}
	return info, err
}
