package workspace

import (
	"time"

	"github.com/haz-build/haz/packed"
)

func duration(n *int64) *time.Duration { return (*time.Duration)(n) }

// task codes all of a task but its project and its position.
func (k *packing) task(t *Task) {
	c := k.c
	c.String(&t.ID.Project)
	c.String(&t.ID.Task)
	c.String(&t.Overlay)
	c.Bool(&t.Completed)
	k.texts.Code(c, &t.Inherits)
	k.origins.Code(c, &t.Origins, 1, func(o **Origin) {
		k.origin.Code(c, o, func(o *Origin) {
			c.String(&o.Key)
			k.texts.Code(c, &o.Items)
			k.place(&o.Place)
		})
	})
	k.place(&t.Place)
	packed.Uint(c, &t.Kind)
	k.texts.Code(c, &t.Argv)
	c.String(&t.Shell)
	c.String(&t.Script)
	c.Bool(&t.AppendsArguments)
	k.texts.Code(c, &t.Arguments)
	k.texts.Code(c, &t.OwnOptions)
	k.files(&t.Inputs)
	k.files(&t.Exclude)
	k.files(&t.Outputs)
	k.references(&t.Deps)
	k.references(&t.WeakDeps)
	k.references(&t.After)
	c.Bool(&t.Finalizer)
	k.place(&t.SaysCache)
	c.Bool(&t.OwnTools)
	k.tools.Code(c, &t.Tools, 2, func(d *ToolDecl) {
		c.String(&d.Name)
		k.texts.Code(c, &d.Probe)
	})
	k.mutexes.Code(c, &t.Mutex, func(m *Mutex) {
		c.Bool(&m.ProjectScope)
		c.String(&m.Name)
		c.Bool(&m.Shared)
	})
	k.environment(t)
	c.Bool(&t.Cache)
	c.Bool(&t.NoOutputs)
	c.Bool(&t.Incremental)
	c.Bool(&t.Interactive)
	c.Bool(&t.TTY)
	packed.Int(c, &t.Timeout)
	k.retry(&t.Retry)
	c.String(&t.If.OS)
	c.String(&t.If.Env)
	c.String(&t.If.Exists)
	k.services.Code(c, &t.Service, k.service)
	c.String(&t.Description)
	c.Bool(&t.Internal)
}

func (k *packing) service(s *Service) {
	c := k.c
	packed.Int(c, &s.Port)
	c.Bool(&s.AutoPort)
	c.Bool(&s.Ready.Port)
	c.String(&s.Ready.URL)
	c.String(&s.Ready.Output)
	k.texts.Code(c, &s.Ready.Command)
	c.String(&s.Ready.File)
	packed.Int(c, &s.Ready.Status)
	packed.Int(c, &s.Ready.Timeout)
	packed.Int(c, &s.Ready.Interval)
	c.String(&s.Stop.Signal)
	k.graces.Code(c, &s.Stop.Grace, func(d *time.Duration) { packed.Int(c, d) })
	packed.Int(c, &s.Restarts)
	codeMap(c, &s.Exports, c.String)
}

func (k *packing) environment(t *Task) {
	c := k.c
	k.texts.Code(c, &t.FromHost)
	k.texts.Code(c, &t.Pass)
	k.envNames.Code(c, &t.EnvNames, func(n *EnvNames) {
		k.set(&n.hashed)
		k.set(&n.passed)
		k.texts.Code(c, &n.prefixes)
	})
	k.envFiles.Code(c, &t.EnvFiles, 14, func(f *EnvFile) {
		k.file(&f.PatternDecl)
		c.Bool(&f.Optional)
	})
	c.Bool(&t.Strict)
	codeMap(c, &t.Override, c.String)
}

func (k *packing) retry(r *Retry) {
	c := k.c
	packed.Int(c, &r.Times)
	k.retryOn.Code(c, &r.On, func(o *RetryOn) {
		c.Bool(&o.Timeout)
		c.Bool(&o.Signal)
		k.codes.Code(c, &o.Codes, 1, func(n *int) { packed.Int(c, n) })
	})
	packed.Int(c, &r.Delay)
	c.Float(&r.Factor)
}

func (k *packing) files(list *[]PatternDecl) { k.decls.Code(k.c, list, 13, k.file) }

func (k *packing) file(d *PatternDecl) {
	c := k.c
	c.Bool(&d.Quiet)
	c.Bool(&d.Shared)
	c.String(&d.Text)
	k.items.Code(c, &d.Via, func(i *Item) {
		c.String(&i.Text)
		k.place(&i.Place)
	})
	k.pattern(&d.Pattern)
	k.place(&d.Place)
	k.locks.Code(c, &d.Lock, k.lock)
	k.files(&d.Not)
}

func (k *packing) lock(l *Lock) {
	c := k.c
	c.String(&l.File)
	k.texts.Code(c, &l.Files)
	k.members.Code(c, &l.Members, 7, func(m *LockMember) {
		c.String(&m.Dir)
		c.String(&m.Name)
		k.needs.Code(c, &m.Needs, 3, func(n *LockNeed) {
			c.String(&n.Name)
			c.String(&n.Spec)
			c.Bool(&n.Dev)
		})
		k.numbersOf(&m.Uses)
		k.numbersOf(&m.Above)
		c.Bool(&m.Untold)
		c.Bool(&m.Free)
	})
	k.numbers(&l.Places)
}

func (k *packing) numbersOf(list *[]int) {
	k.codes.Code(k.c, list, 1, func(n *int) { packed.Int(k.c, n) })
}

func (k *packing) references(list *[]RefDecl) {
	c := k.c
	k.refs.Code(c, list, 13, func(r *RefDecl) {
		packed.Uint(c, &r.Ref.Form)
		c.String(&r.Ref.Project)
		c.String(&r.Ref.Tag)
		c.String(&r.Ref.Task)
		k.place(&r.Place)
		c.Bool(&r.Optional)
		c.Bool(&r.Narrow)
		c.Bool(&r.Streams)
	})
}
