package moving

import (
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace/infer/node"
)

// pluginsOf reads the plugins of nx.json. What targets they make, nx alone knows.
func (n *nx) pluginsOf(v *node.Value) {
	list, ok := v.Items()
	if !ok {
		n.bad(v.Mistake("a list"))
	}
	for _, one := range list {
		name, ok := one.Text()
		if !ok {
			if name, ok = one.Get("plugin").Text(); !ok {
				n.bad(one.Mistake("a text, or an object with the text `plugin`"))
			}
		}
		n.draft.notes = append(n.draft.notes, note{one.Place(), "targets that the plugin " + diag.Quote(name) + " makes do not carry over: nx show project NAME lists them"})
	}
}
