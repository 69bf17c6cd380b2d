package state

import "github.com/haz-build/haz/fsys"

// bootID tells this run of the kernel from others; "" when it does not say.
func bootID() string {
	id, _, err := fsys.Machine().ReadFile("/proc/sys/kernel/random/boot_id", 1<<12)
	if err != nil {
		return ""
	}
	return string(id)
}
