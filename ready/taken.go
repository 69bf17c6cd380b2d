package ready

import (
	"context"
	"strconv"
)

// Taken implements Network. Whoever listens on another address of this machine alone (that of a network card) is in nobody's way at localhost.
//
// That nobody is listed does not settle it: what listens may be beyond the namespace, with the port forwarded to it (containers, virtual
// machines). There a service could still take the port, and who depends on it would talk to the other one. So it is dialled, too.
func (Host) Taken(port int) (Holder, bool) {
	if h, taken := holder(port); taken {
		return h, true
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialMax)
	defer cancel()
	c, err := dialLocal(ctx, strconv.Itoa(port))
	if err != nil {
		return Holder{}, false
	}
	c.Close()
	return Holder{}, true
}
