package state

import (
	"fmt"

	"github.com/haz-build/haz/fsys"
)

// bootID tells this run of the kernel from others; "" when it does not say.
func bootID() string {
	id, _, err := fsys.Machine().ReadFile("/proc/sys/kernel/random/boot_id", 1<<12)
	if err != nil {
		return ""
	}
	return string(id)
}

// Program tells this program from others, also of the same name; "" when the system does not say.
func Program() string {
	info, err := fsys.Program()
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d %d %d %d %d", info.Dev, info.Inode, info.Size, info.MTime, info.CTime)
}
