//go:build unix

package haz

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"

	"github.com/haz-build/haz/workspace/load"
)

// stranger trusts the user haz runs as, root, and under sudo the user who called it.
func stranger(env []string) load.Stranger {
	me := os.Geteuid()
	caller := -1
	for _, kv := range env {
		if text, ok := strings.CutPrefix(kv, "SUDO_UID="); ok && me == 0 {
			if uid, err := strconv.Atoi(text); err == nil {
				caller = uid
			}
		}
	}
	return func(uid int) string {
		if uid == 0 || uid == me || uid == caller {
			return ""
		}
		return userName(uid)
	}
}

func userName(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return fmt.Sprintf("user %s (%d)", u.Username, uid)
	}
	return fmt.Sprintf("user %d", uid)
}
