package fsys

// HoldStraight is Hold for a directory on the way to which no link is followed either: ENOTDIR or ELOOP where there is one.
func HoldStraight(f FS, dir string) (FS, error) {
	if o, ok := f.(interface {
		HoldStraight(dir string) (FS, error)
	}); ok {
		return o.HoldStraight(dir)
	}
	return holdSteps(f, dir)
}

// holdSteps is HoldStraight by one Hold a segment.
func holdSteps(f FS, dir string) (FS, error) {
	at, err := f.Hold("/")
	for rest := Clean(dir); err == nil && len(rest) > 1; {
		end := 1
		for end < len(rest) && rest[end] != '/' {
			end++
		}
		var next FS
		next, err = at.Hold(rest[:end])
		_ = at.Close()
		at, rest = next, rest[end:]
	}
	if err != nil {
		return nil, err
	}
	return at, nil
}
