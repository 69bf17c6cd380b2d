package fsys

// F_OFD_GETLK and F_OFD_SETLK of <sys/fcntl.h>, which x/sys does not have.
const (
	getLock = 92
	setLock = 90
)
