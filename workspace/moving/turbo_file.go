package moving

import (
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace/config"
	"github.com/haz-build/haz/workspace/infer/node"
)

// turboFile is a turbo.json, of the root or of a package.
type turboFile struct {
	extends []string
	names   []string // of tasks, in the order in which they stand
	tasks   map[string]*turboTask
	top     *node.Value
}

// turboTask is what one turbo.json says of a task, or what several of them say together. A list that is nil is not said.
type turboTask struct {
	place                          diag.Place
	dependsOn, inputs, outputs     []item
	env, pass, dotEnv, with        []item
	cache, persistent, interactive *bool
	description                    string
	notes                          map[string]note // by key
}

// item is a text of a list with its place.
type item struct {
	text  string
	place diag.Place
}

// turboFile reads one. There is none: nil.
func (s *source) turboFile(name string) *turboFile {
	top := s.json(name)
	if top == nil {
		return nil
	}
	f := &turboFile{tasks: map[string]*turboTask{}, top: top}
	for key, field := range top.Fields() {
		switch key {
		case "extends":
			for _, i := range s.items(field.Value) {
				f.extends = append(f.extends, i.text)
			}
		case "tasks", "pipeline":
			if !field.Value.IsObject() {
				s.bad(field.Value.Mistake("an object"))
			}
			for name, task := range field.Value.Fields() {
				if f.tasks[name] == nil {
					f.names = append(f.names, name)
				}
				f.tasks[name] = s.turboTask(task)
			}
		}
	}
	return f
}

// items reads a list of texts.
func (s *source) items(v *node.Value) []item {
	list, ok := v.Items()
	if !ok {
		s.bad(v.Mistake("a list of texts"))
		return nil
	}
	items := make([]item, 0, len(list))
	for _, i := range list {
		if text, ok := i.Text(); ok {
			items = append(items, item{text, i.Place()})
		} else {
			s.bad(i.Mistake("a text"))
		}
	}
	return items
}

func (s *source) turboTask(f node.Field) *turboTask {
	t := &turboTask{place: f.Place(), notes: map[string]note{}}
	if !f.Value.IsObject() {
		s.bad(f.Value.Mistake("an object"))
	}
	lists := map[string]*[]item{"dependsOn": &t.dependsOn, "inputs": &t.inputs, "outputs": &t.outputs, "env": &t.env, "passThroughEnv": &t.pass, "dotEnv": &t.dotEnv, "with": &t.with}
	flags := map[string]**bool{"cache": &t.cache, "persistent": &t.persistent, "interactive": &t.interactive}
	for key, field := range f.Value.Fields() {
		if field.Value.Source() == "null" {
			continue
		}
		if list := lists[key]; list != nil {
			*list = s.items(field.Value)
			continue
		}
		if flag := flags[key]; flag != nil {
			is, ok := field.Value.Bool()
			if !ok {
				s.bad(field.Value.Mistake("a boolean"))
			}
			*flag = &is
			continue
		}
		if key == "description" {
			t.description, _ = field.Value.Text()
			continue
		}
		t.notes[key] = notCarried("task", key, field)
	}
	return t
}

// notCarried is the note about a key that haz has nothing like, with what it says of such keys in its own files.
func notCarried(object, key string, f node.Field) note {
	text := diag.Quote(key) + " does not carry over"
	if say := config.ForeignSays(object, key); say != "" {
		text += ": " + say
	}
	return note{f.Place(), text}
}

// extend is the task with what another definition says more: key by key, and a list is added to with $TURBO_EXTENDS$ alone.
func (t *turboTask) extend(by *turboTask) *turboTask {
	if t == nil || by == nil {
		if by != nil {
			return by
		}
		return t
	}
	out := *t
	out.place, out.notes = by.place, map[string]note{}
	for _, from := range []*turboTask{t, by} {
		for key, n := range from.notes {
			out.notes[key] = n
		}
	}
	lists := func(of *turboTask) []*[]item {
		return []*[]item{&of.dependsOn, &of.inputs, &of.outputs, &of.env, &of.pass, &of.dotEnv, &of.with}
	}
	theirs := lists(by)
	for i, list := range lists(&out) {
		*list = extended(*list, *theirs[i])
	}
	flags := func(of *turboTask) []**bool { return []**bool{&of.cache, &of.persistent, &of.interactive} }
	said := flags(by)
	for i, flag := range flags(&out) {
		if *said[i] != nil {
			*flag = *said[i]
		}
	}
	if by.description != "" {
		out.description = by.description
	}
	return &out
}

func extended(base, by []item) []item {
	if by == nil {
		return base
	}
	at := slices.IndexFunc(by, func(i item) bool { return i.text == "$TURBO_EXTENDS$" })
	if at < 0 {
		return by
	}
	return slices.Concat(base, by[:at], by[at+1:])
}

func is(flag *bool) bool { return flag != nil && *flag }

// sortedNotes are the notes of a task by their keys.
func (t *turboTask) sortedNotes() (notes []note) {
	for _, n := range t.notes {
		notes = append(notes, n)
	}
	slices.SortFunc(notes, func(a, b note) int { return strings.Compare(a.text, b.text) })
	return notes
}
