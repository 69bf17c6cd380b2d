package config

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"

	"github.com/haz-build/haz/diag"
)

// The limits of chapter 1, section 3. They are far beyond every real file, and there so that no text makes haz run or grow
// without bound.
const (
	FileMax    = 16 << 20  // bytes of a file
	nestingMax = 200       // collections inside each other, after aliases are expanded
	nodesMax   = 1_000_000 // nodes, after aliases are expanded
)

// loaderOptions: the reader's own depth limit is looser than nestingMax, which nodes are held to (its count is not ours: it
// ends the recursion of the reader, nothing more). Aliases are counted by measure, without expanding them.
var loaderOptions = yaml.Options(
	yaml.WithV4Defaults(),
	yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthFunc(checkDepth), loaderlimits.AliasNone())),
)

const depthMessage = "too deep"

func checkDepth(depth int, _ *loaderlimits.DepthContext) error {
	if depth > nestingMax+1 {
		return errors.New(depthMessage)
	}
	return nil
}

// parse reads one YAML document (haz::cfg::002, haz::cfg::003, and the limits). The node is nil when there is nothing to map; then there
// is an error.
func (m *mapper) parse(f File) *yaml.Node {
	text := f.Text
	if len(text) > FileMax {
		m.addCode("haz::cfg::002", diag.Place{File: f.Name}, "the file is larger than 16 MiB", "")
		return nil
	}
	if i := invalidUTF8(text); i >= 0 {
		m.addCode(f.Rule, diag.Place{File: f.Name}, fmt.Sprintf("the file is not UTF-8: the byte at position %d is %#02x", i, text[i]),
			"save the file as UTF-8")
		return nil
	}
	// A byte order mark is allowed and is no part of the first line. (A UTF-16 one is no UTF-8.)
	m.src = newSource(f.Name, strings.TrimPrefix(string(text), "\ufeff"))
	m.src.lines = f.Lines
	if looksLikeMoreThan(m.src.Text, nodesMax) {
		m.tooManyNodes()
		return nil
	}
	readable := m.src.Text
	if rest, ok := strings.CutPrefix(readable, "%YAML 1.2"); ok {
		// The reader knows the directive of 1.1 only, and reads 1.2 all the same. The places stay as they are.
		readable = "%YAML 1.1" + rest
	}
	loader, err := yaml.NewLoader(strings.NewReader(readable), loaderOptions)
	if err != nil {
		panic(fmt.Sprintf("workspace/config: the options of the YAML reader: %v", err)) // a constant, tried by every test
	}
	var doc yaml.Node
	switch err := load(loader, &doc); {
	case errors.Is(err, io.EOF):
		m.empty()
		return nil
	case err != nil:
		m.syntaxError(err)
		return nil
	}
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.Value == "" && root.Style == 0 {
		m.empty()
		return nil
	}
	var second yaml.Node
	switch err := load(loader, &second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		m.syntaxError(err)
		return nil
	default:
		start := m.src.offset(second.Line, second.Column)
		m.add("haz::cfg::003", Span{start, m.src.lineEnd(start)}, "a second document starts here; a file of haz is one document", "")
		// The first document is mapped all the same: its errors are real.
	}
	if !m.measure(root) {
		return nil
	}
	return root
}

// load is loader.Load, for which no text is a reason to end the process: the library panics where it finds itself in a state
// that it thinks impossible.
func load(loader *yaml.Loader, into *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the YAML library failed, which is a bug worth reporting: %v", r)
		}
	}()
	return loader.Load(into)
}

func (m *mapper) empty() {
	m.empties = true
	m.addCode("haz::cfg::002", m.top(), "the file is empty", m.kind.example)
}

func (m *mapper) tooManyNodes() {
	m.addCode("haz::cfg::002", m.top(), "the file has more than one million nodes once aliases are expanded", "")
}

func invalidUTF8(text []byte) int {
	if utf8.Valid(text) {
		return -1
	}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// size is what a node comes to once aliases are expanded.
type size struct {
	nodes, height int
	open          bool // being measured: an alias to it is a circle
}

// measure holds the document to the limits without expanding anything: each node is visited once, and an alias counts as
// what its anchor came to.
func (m *mapper) measure(root *yaml.Node) bool {
	anchors := map[*yaml.Node]*size{}
	failed := false
	var visit func(n *yaml.Node, depth int) size
	visit = func(n *yaml.Node, depth int) size {
		if failed {
			return size{}
		}
		if n.Kind == yaml.AliasNode {
			m.aliases = true
			s := anchors[n.Alias]
			if s == nil || s.open {
				start := m.src.offset(n.Line, n.Column)
				m.add("haz::cfg::002", Span{start, start + uint32(len(n.Value)+1)}, "alias "+diag.QuoteShort(n.Value)+" stands inside its own anchor", "")
				failed = true
				return size{}
			}
			return *s
		}
		var here *size
		if n.Anchor != "" {
			here = &size{open: true}
			anchors[n] = here
		}
		m.ignoredTag(n)
		total := size{nodes: 1}
		for _, child := range n.Content {
			s := visit(child, depth+1)
			total.nodes = min(total.nodes+s.nodes, nodesMax+1)
			total.height = max(total.height, s.height)
		}
		if n.Kind != yaml.ScalarNode {
			total.height++
		}
		switch {
		case failed:
		case total.nodes > nodesMax:
			m.tooManyNodes()
			failed = true
		case depth+total.height > nestingMax:
			m.tooDeep(n)
			failed = true
		}
		if here != nil {
			*here = total
		}
		return total
	}
	visit(root, 0)
	return !failed
}

// isLocalTag reports whether the node has a tag that begins with a single "!": in YAML it means something only to the
// program that reads it, and nothing to haz.
func isLocalTag(n *yaml.Node) bool {
	return strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!")
}

// ignoredTag warns about "!" before a value: an unquoted script that starts with it loses it, and then says the opposite.
func (m *mapper) ignoredTag(n *yaml.Node) {
	if !isLocalTag(n) {
		return
	}
	start := m.src.offset(n.Line, n.Column)
	d := m.addCode(yamlCode, m.src.Place(Span{start, start + uint32(len(n.Tag))}),
		fmt.Sprintf("%s is a tag of YAML here and is ignored", diag.QuoteShort(n.Tag)), "to mean the character, put the text in quotes")
	d.Severity = diag.Warning
}

func (m *mapper) tooDeep(n *yaml.Node) {
	start := m.src.offset(n.Line, n.Column)
	m.add("haz::cfg::002", Span{start, start + 1}, fmt.Sprintf("lists and maps are nested more than %d deep", nestingMax), "")
}

// looksLikeMoreThan reports whether a text has more than limit nodes by its looks: commas inside brackets, and lines that
// are an item or a key. It keeps a huge file from being read for half a minute only to be refused; what it lets through is
// counted by measure. (Only a script of a million such lines would be refused wrongly.)
func looksLikeMoreThan(text string, limit int) bool {
	if len(text) < limit {
		return false // a node takes a byte at the very least
	}
	nodes, depth := 0, 0
	previous := byte('\n') // the last byte that is no space
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch c {
		case ' ', '\t', '\r':
			continue
		case '\n':
			rest := strings.TrimLeft(text[i+1:min(i+64, len(text))], " ")
			if depth == 0 && (strings.HasPrefix(rest, "- ") || strings.HasPrefix(rest, "-\n") || looksLikeKey(rest)) {
				nodes++
			}
		case '[', '{':
			depth++
		case ']', '}':
			depth = max(depth-1, 0)
		case ',':
			if depth > 0 {
				nodes++
			}
		case '"', '\'':
			// A quote opens only where a scalar can start, so that "don't" does not swallow the rest.
			if strings.IndexByte("\n[{,:-", previous) >= 0 {
				if end := strings.IndexByte(text[i+1:], c); end >= 0 {
					i += end + 1
				}
			}
		}
		if nodes > limit {
			return true
		}
		previous = c
	}
	return false
}

func looksLikeKey(line string) bool {
	i := 0
	for i < len(line) && (isDigit(line[i]) || line[i]|0x20 >= 'a' && line[i]|0x20 <= 'z' || line[i] == '_' || line[i] == '-') {
		i++
	}
	return i > 0 && i < len(line) && line[i] == ':'
}
