package config

import (
	"fmt"

	"go.yaml.in/yaml/v4"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

const (
	serviceHint = "service: {ready: {port: 5432}}    or    service: {port: auto, ready: {output: \"listening\"}}"
	urlHint     = "http: {url: \"http://localhost:${HAZ_PORT}/health\", status: 200}"
	autoPort    = "auto"
)

// service maps what is said of a service (haz::cfg::140). What is missing or does not fit together is told here, each once.
func (m *mapper) service(f *Field, n *yaml.Node, out *Service) bool {
	s := Service{Span: m.span(n), Set: true}
	if deref(n).Kind != yaml.MappingNode {
		m.wrongType(f.Rule, n, "a map with ready").Hint = serviceHint
		return false
	}
	ok := m.object(f.Type.Object, f.Rule, n, &s)
	*out = s
	if !ok {
		return false
	}
	if !s.Ready.Set {
		m.add("haz::cfg::141", s.Span, "the service has no ready: nobody could say when tasks that depend on it may begin", serviceHint)
		return false
	}
	ok = m.onePort(&s)
	if s.Limit.Set && s.Restart.Value != "on-failure" {
		m.add(f.Rule, s.Limit.Span, "limit without restart: on-failure: the service is started once", "add restart: on-failure, or remove limit")
		ok = false
	}
	return m.needsPort(&s) && ok
}

// onePort holds a service to one port.
func (m *mapper) onePort(s *Service) bool {
	if !s.Port.Set || !s.Ready.Port.Set || s.Port.Port == s.Ready.Port.Port {
		return true
	}
	m.add("haz::cfg::142", s.Ready.Port.Span, fmt.Sprintf("ready looks at port %s, and the service has port %s", s.Ready.Port.Value, s.Port.Value), "say the port once").
		Related = m.related(s.Port.Span, "the port of the service is here")
	return false
}

// needsPort refuses ${HAZ_PORT} where no port is said.
func (m *mapper) needsPort(s *Service) bool {
	if s.Port.Set || s.Ready.Port.Set {
		return true
	}
	ok := true
	for _, t := range m.withPlaces(s) {
		if workspace.NeedsPort(t.Value) {
			m.add("haz::cfg::142", t.Span, "${"+workspace.PortVariable+"} stands for a port, and the service says none", "add port: auto, or the number that it listens on")
			ok = false
		}
	}
	return ok
}

// withPlaces are the texts of a service that have places for its port.
func (m *mapper) withPlaces(s *Service) []Text {
	texts := append([]Text{s.Ready.HTTP.URL}, s.Ready.Command.Items...)
	for _, e := range s.Exports {
		texts = append(texts, e.Value)
	}
	return texts
}

// ready maps how a service is seen to answer: by exactly one thing (haz::cfg::141).
func (m *mapper) ready(f *Field, n *yaml.Node, out *Ready) bool {
	r := Ready{Span: m.span(n), Set: true}
	if deref(n).Kind != yaml.MappingNode {
		m.wrongType(f.Rule, n, "a map with port, http, output, command or file").Hint = serviceHint
		return false
	}
	ok := m.object(f.Type.Object, f.Rule, n, &r)
	*out = r
	if !ok {
		return false
	}
	type kind struct {
		key string
		set bool
		at  Span
	}
	var first *kind
	for _, k := range []kind{{"port", r.Port.Set, r.Port.Span}, {"http", r.HTTP.Set, r.HTTP.Span}, {"output", r.Output.Set, r.Output.Span},
		{"command", r.Command.Set, r.Command.Span}, {"file", r.File.Set, r.File.Span}} {
		switch {
		case !k.set:
		case first == nil:
			first = &k
		default:
			m.add(f.Rule, k.at, "ready has both "+first.key+" and "+k.key+"; one thing says that a service is ready", "keep one of them").
				Related = m.related(first.at, "the other one is here")
			ok = false
		}
	}
	if first == nil {
		m.add(f.Rule, r.Span, "ready says nothing of port, http, output, command or file", serviceHint)
		return false
	}
	for _, d := range []struct {
		key string
		d   Duration
	}{{"timeout", r.Timeout}, {"interval", r.Interval}} {
		if d.d.Set && d.d.Duration == 0 {
			m.add(f.Rule, d.d.Span, d.key+" is no time at all", d.key+": 10s")
			ok = false
		}
	}
	return ok
}

func (m *mapper) readyHTTP(f *Field, n *yaml.Node, out *readyHTTP) bool {
	if deref(n).Kind != yaml.MappingNode {
		m.wrongType(f.Rule, n, "a map with url").Hint = urlHint
		return false
	}
	out.HTTP.Span = m.span(n)
	if !m.object(f.Type.Object, f.Rule, n, out) {
		return false
	}
	if out.HTTP.Set = out.HTTP.URL.Set; !out.HTTP.Set {
		m.add(f.Rule, out.HTTP.Span, "http has no url", urlHint)
	}
	return out.HTTP.Set
}

// port maps a number, or auto.
func (m *mapper) port(f *Field, n *yaml.Node, out *Port) bool {
	t, ok := m.text(f.Rule, n, "a port, or auto")
	if !ok {
		return false
	}
	if t.Value == autoPort {
		*out = Port{Text: t}
		return true
	}
	number, err := workspace.CheckPort(t.Value)
	if err != nil {
		hint := ""
		if diag.Nearest(t.Value, []string{autoPort}) != "" {
			hint = diag.DidYouMean(autoPort)
		}
		m.add(f.Rule, t.Span, "bad port "+diag.QuoteShort(t.Value)+"; it is a number from 1 to 65535, or auto", hint)
		return false
	}
	*out = Port{t, number}
	return true
}

// ofService holds what else a service says to what it is: its process stays, so that there is no result (haz::cfg::144).
func (m *mapper) ofService(b *Body) {
	if !b.Service.Set {
		return
	}
	no := func(at Span, what, hint string) {
		m.add("haz::cfg::144", at, what, hint).Related = m.related(b.Service.Span, "service stands here")
	}
	if len(b.Outputs.Items) > 0 {
		no(b.Outputs.Span, "outputs of a service: its process stays, so that it never has made them", "let a task without service make them, and depend on it")
	}
	if b.Cache.Value {
		no(b.Cache.Span, "cache: true of a service: there is no result that could be kept", "remove cache")
	}
	if b.Interactive.Value {
		no(b.Interactive.Span, "interactive: true of a service: who has the terminal runs alone", "remove interactive, or service")
	}
	if b.Retry.Set {
		no(b.Retry.Span, "retry of a service", "service: {restart: on-failure} starts it again")
	}
	if b.Timeout.Set && b.Timeout.Duration > 0 {
		no(b.Timeout.Span, "timeout of a service: it stays until nobody needs it", "service: {ready: {timeout: 10s}} is how long it may take to be ready")
	}
}
