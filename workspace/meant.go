package workspace

import (
	"cmp"
	"fmt"
	"path"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/layout"
)

// Typed is what somebody typed in the place of a task, and where.
type Typed struct {
	Text    string
	Dir     string   // workspace-absolute, where it was typed; "" when that is outside
	Home    string   // the user's home directory
	Bearing *Project // of Dir
}

// Meant is a hint for a text that selects no task: what to type instead. "" when nothing comes to mind. What it says to type
// selects something.
func (w *Workspace) Meant(t Typed) string {
	switch {
	case t.Home != "" && strings.HasPrefix(t.Text, t.Home+":"):
		return w.meantOwn(t)
	case t.Text == "all" || t.Text == "everything" || t.Text == "..." || t.Text == "//...":
		return "for every task of every project: haz run --workspace"
	}
	if p := w.named(t.Text, t.Dir); p != nil {
		return tasksOf(p)
	}
	if ref := w.respelled(t); ref != "" {
		return diag.DidYouMean(ref)
	}
	if name, _, ok := strings.Cut(t.Text, ":"); ok {
		if p := w.named(name, t.Dir); p != nil && (t.Text == name+":*" || t.Text == name+":") {
			return tasksOf(p)
		}
	}
	if words := w.several(t); words != "" {
		return "several tasks are several words: " + words
	}
	return cmp.Or(w.inFolder(t), w.misspelt(t))
}

// several is about several tasks in one word: the lines of a query in quotes, lib:build,app:build, lib:{build,test}. It is the
// words that they should be; "" when one of them is no task.
func (w *Workspace) several(t Typed) string {
	before, after := "", t.Text
	if project, list, ok := strings.Cut(t.Text, ":{"); ok && strings.HasSuffix(list, "}") {
		before, after = project+":", list[:len(list)-1]
	}
	words := strings.FieldsFunc(after, func(r rune) bool { return r == ',' || r == '\n' || r == ' ' })
	if len(words) < 2 {
		return ""
	}
	for i, word := range words {
		words[i] = before + word
		r, err := ParseReference(words[i], true)
		if err != nil {
			return ""
		}
		if _, err := w.Resolve(r, t.Bearing); err != nil {
			return ""
		}
	}
	if len(words) > maxWords {
		words = append(words[:maxWords], "…")
	}
	return strings.Join(words, " ")
}

// maxWords is how many of several tasks a hint names.
const maxWords = 8

// inFolder is about a folder that is no project, but has some in it.
func (w *Workspace) inFolder(t Typed) string {
	for _, folder := range folders(w.fromRoot(t.Text), t.Dir) {
		inside := strings.TrimSuffix(folder, "/") + "/"
		for _, p := range w.Projects {
			if !strings.HasPrefix(p.Dir, inside) || len(p.Tasks) == 0 {
				continue
			}
			if folder == "/" {
				return "that is the workspace; for every task of every project: haz run --workspace"
			}
			return "that folder is no project, but there are some in it; " + tasksOf(p)
		}
	}
	return ""
}

// fromRoot makes an absolute path of the host one from the root of the workspace.
func (w *Workspace) fromRoot(text string) string {
	if rest, ok := strings.CutPrefix(text, w.Root); ok && w.Root != "/" && (rest == "" || rest[0] == '/') {
		return "/" + strings.TrimPrefix(rest, "/")
	}
	return text
}

// meantOwn is about `~:task` without quotes, of which some shells make the home directory and the task.
func (w *Workspace) meantOwn(t Typed) string {
	task := strings.TrimPrefix(t.Text, t.Home+":")
	hint := fmt.Sprintf("the shell made that of ~:%s; put it in quotes: '~:%s'", task, task)
	if t.Bearing != nil && t.Bearing.task(task) != nil {
		hint += ", or write haz run " + task
	} else if all := w.byName().byTask[task]; t.Bearing == nil && len(all) > 0 {
		hint = fmt.Sprintf("the shell made that of ~:%s, and this directory is inside no project; write %s", task, diag.Quote(all[0].ID.String()))
	}
	return hint
}

// named is the project that a text names: by its name, with the @ or without, by its folder, from the root or from where it was typed, or by the last part of its name
// where no other project has that: ui of @acme/ui.
func (w *Workspace) named(text, dir string) *Project {
	bare := strings.TrimSuffix(strings.TrimSuffix(w.fromRoot(text), "/"+layout.ProjectFile), "/")
	for _, name := range []string{bare, "@" + bare} {
		if p := w.Project(name); p != nil {
			return p
		}
	}
	x := w.byName()
	for _, folder := range folders(bare, dir) {
		if p := x.byDir[folder]; p != nil {
			return p
		}
	}
	return x.byLast[bare]
}

// folders are the folders that a text can mean. A bare word means none: it is a task.
func folders(text, dir string) []string {
	if text == "" || !strings.ContainsAny(text, "./") {
		return nil
	}
	list := []string{path.Clean("/" + text)}
	if dir != "" && !strings.HasPrefix(text, "/") {
		list = append([]string{path.Join(dir, text)}, list...)
	}
	return list
}

// tasksOf says how to run tasks of a project.
func tasksOf(p *Project) string {
	if len(p.Tasks) == 0 {
		return diag.Quote(p.Name) + " is a project, and it has no task"
	}
	names := make([]string, 0, maxMeant)
	for _, t := range p.Tasks[:min(len(p.Tasks), maxMeant)] {
		names = append(names, "haz run "+t.ID.String())
	}
	more := ""
	if len(p.Tasks) > maxMeant {
		more = ", …"
	}
	return fmt.Sprintf("%s is a project; to run a task of it: %s%s", diag.Quote(p.Name), strings.Join(names, ", "), more)
}

// maxMeant is how many tasks a hint names.
const maxMeant = 3

// respelled is the task that a text names as other tools would, or in other letters; "" when there is none.
func (w *Workspace) respelled(t Typed) string {
	if ref := w.otherSpelling(t); ref != "" {
		return ref
	}
	return w.folded(t)
}

// otherSpelling is the task that a text names as other tools would: project#task, project/task, folder:task, @project/task, project.task,
// a bare ^task. "" when there is none. Its cost does not depend on how many projects there are.
func (w *Workspace) otherSpelling(t Typed) string {
	if task := usesForm(t.Text); task != "" && t.Bearing != nil {
		if used, _ := w.usedTasks(t.Bearing, task); len(used) > 0 {
			return usesPrefix + task
		}
	}
	if task := strings.TrimLeft(t.Text, "^~"); task != t.Text && len(w.byName().byTask[task]) > 0 {
		if strings.HasPrefix(t.Text, "~") && t.Bearing != nil && len(t.Bearing.named(task)) > 0 {
			return "~:" + task
		}
		if strings.HasPrefix(t.Text, "^") && t.Bearing != nil {
			if used, _ := w.usedTasks(t.Bearing, task); len(used) > 0 {
				return usesPrefix + task
			}
		}
		return "^:" + task
	}
	bare := strings.TrimLeft(strings.Replace(t.Text, "::", ":", 1), "@^")
	if task, ok := strings.CutPrefix(bare, ":"); ok && len(w.byName().byTask[task]) > 0 {
		if t.Bearing != nil && len(t.Bearing.named(task)) > 0 {
			return "~:" + task
		}
		return "^:" + task
	}
	if ref := w.parted(t.Text, t); ref != "" || bare == t.Text {
		return ref
	}
	return w.parted(bare, t)
}

// partsMost is how many places parted looks at for each character that may stand between a project and a task. Each may also be one of a name.
const partsMost = 8

// parted is the task of a project, a folder of one, or the last part of the name of one, that stand on two sides of a character in a text; "" for
// none.
func (w *Workspace) parted(text string, t Typed) string {
	for _, separator := range "#:/." {
		i := strings.LastIndexByte(text, byte(separator))
		for n := 0; i > 0 && n < partsMost; n++ {
			p, task := w.named(text[:i], t.Dir), text[i+1:]
			if p == nil {
				p = w.named("/"+strings.TrimLeft(text[:i], "/"), "")
			}
			if p == nil {
				p = w.Project(path.Base(text[:i]))
			}
			if p != nil && len(p.named(task)) > 0 {
				if ref := p.Name + ":" + task; ref != t.Text {
					return ref
				}
			}
			i = strings.LastIndexByte(text[:i], byte(separator))
		}
	}
	return ""
}

// folded is the task that a text names when upper and lower case are one; "" when there is none.
func (w *Workspace) folded(t Typed) string {
	for _, task := range w.Tasks {
		if strings.EqualFold(task.ID.String(), t.Text) || strings.EqualFold(task.ID.Task, t.Text) && (t.Bearing == nil || t.Bearing == task.Project) {
			return task.ID.String()
		}
	}
	return ""
}
