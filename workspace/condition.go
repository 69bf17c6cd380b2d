package workspace

// Condition is when a task is carried out at all (EXEC-047): all that it says must hold. The zero value always does. No part of the task's
// own key.
type Condition struct {
	OS     string // as Go calls it
	Env    string // a variable of haz that is set, and not empty
	Exists string // a path, from the root of the workspace
}

// Holds asks the machine.
func (c Condition) Holds(os string, env func(string) (string, bool), exists func(path string) bool) bool {
	if c.OS != "" && c.OS != os {
		return false
	}
	if c.Env != "" {
		if v, _ := env(c.Env); v == "" {
			return false
		}
	}
	return c.Exists == "" || exists(c.Exists)
}
