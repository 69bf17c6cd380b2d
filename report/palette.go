package report

import (
	"fmt"
	"hash/fnv"
	"math"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

const (
	esc   = 0x1b
	reset = "\x1b[0m"
)

// Palette draws text of haz in colour, or leaves it as it is. The zero value is without colour.
type Palette struct {
	On        bool
	TrueColor bool // 24 bits; else the nearest of 256
}

// ColorChoice is the value of --color.
type ColorChoice uint8

const (
	ColorAuto ColorChoice = iota
	ColorAlways
	ColorNever
)

// DecidePalette decides for one stream (chapter 3, 10.4); env looks a variable up and says "" for one that is not set.
func DecidePalette(c ColorChoice, env func(string) string, terminal bool) Palette {
	depth := env("COLORTERM")
	return Palette{On: wantsColor(c, env, terminal), TrueColor: depth == "truecolor" || depth == "24bit"}
}

func wantsColor(c ColorChoice, env func(string) string, terminal bool) bool {
	forces := func(name string) bool { v := env(name); return v != "" && v != "0" }
	switch {
	case c == ColorAlways:
		return true
	case c == ColorNever, env("NO_COLOR") != "":
		return false
	case forces("CLICOLOR_FORCE"), forces("FORCE_COLOR"):
		return true
	case env("TERM") == "dumb", env("CLICOLOR") == "0":
		return false
	}
	return terminal
}

func (p Palette) paint(code, s string) string {
	if !p.On || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + reset
}

func (p Palette) Bold(s string) string   { return p.paint("1", s) }
func (p Palette) Dim(s string) string    { return p.paint("2", s) }
func (p Palette) Red(s string) string    { return p.paint("31", s) }
func (p Palette) Green(s string) string  { return p.paint("32", s) }
func (p Palette) Yellow(s string) string { return p.paint("33", s) }
func (p Palette) Cyan(s string) string   { return p.paint("36", s) }

// Style is the same palette for diagnostics.
func (p Palette) Style() diag.Style {
	if !p.On {
		return diag.Style{}
	}
	return diag.Style{Bold: p.Bold, Red: p.Red, Yellow: p.Yellow, Cyan: p.Cyan, Dim: p.Dim}
}

// Prefix is "[project:task] ", in the colour of the task. The bytes without colour are frozen.
func (p Palette) Prefix(id workspace.TaskID) string {
	return p.paint(p.taskCode(id), "["+id.String()+"]") + " "
}

// taskCode is bold and the task's own colour, always the same for the same name.
func (p Palette) taskCode(id workspace.TaskID) string {
	if !p.On {
		return ""
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(id.String()))
	r, g, b := hsl(float64(h.Sum64()%360), 0.70, 0.62)
	if p.TrueColor {
		return fmt.Sprintf("1;38;2;%d;%d;%d", r, g, b)
	}
	return fmt.Sprintf("1;38;5;%d", nearest256(r, g, b))
}

func hsl(h, s, l float64) (r, g, b uint8) {
	c := (1 - math.Abs(2*l-1)) * s
	x := c * (1 - math.Abs(math.Mod(h/60, 2)-1))
	m := l - c/2
	var rf, gf, bf float64
	switch int(h / 60) {
	case 0:
		rf, gf = c, x
	case 1:
		rf, gf = x, c
	case 2:
		gf, bf = c, x
	case 3:
		gf, bf = x, c
	case 4:
		rf, bf = x, c
	default:
		rf, bf = c, x
	}
	round := func(f float64) uint8 { return uint8(math.Round((f + m) * 255)) }
	return round(rf), round(gf), round(bf)
}

// nearest256 is the nearest entry of the 6×6×6 cube and the grey ramp, by distance in RGB.
func nearest256(r, g, b uint8) int {
	levels := [6]int{0, 95, 135, 175, 215, 255}
	near := func(v uint8) int {
		best := 0
		for i, l := range levels {
			if abs(l-int(v)) < abs(levels[best]-int(v)) {
				best = i
			}
		}
		return best
	}
	dist := func(x, y, z int) int {
		dr, dg, db := x-int(r), y-int(g), z-int(b)
		return dr*dr + dg*dg + db*db
	}
	i, j, k := near(r), near(g), near(b)
	best, bestDist := 16+36*i+6*j+k, dist(levels[i], levels[j], levels[k])
	grey := min(23, max(0, ((int(r)+int(g)+int(b))/3-3)/10))
	if v := 8 + 10*grey; dist(v, v, v) < bestDist {
		return 232 + grey
	}
	return best
}

func abs(i int) int { return max(i, -i) }

// Glyphs are the marks of summary lines.
type Glyphs struct{ Done, Cached, Failed, Skipped, Cancelled, Dot string }

// GlyphSet returns those for a terminal that speaks UTF-8, or for one that does not.
func GlyphSet(ascii bool) Glyphs {
	if ascii {
		return Glyphs{Done: "+", Cached: "=", Failed: "x", Skipped: "-", Cancelled: "!", Dot: "."}
	}
	return Glyphs{Done: "✓", Cached: "◉", Failed: "✗", Skipped: "-", Cancelled: "!", Dot: "·"}
}

// SpeaksUTF8 judges the locale: the first of LC_ALL, LC_CTYPE and LANG that is not empty decides. Where none is set the
// terminal is taken for a modern one.
func SpeaksUTF8(env func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := env(name); v != "" {
			v = strings.ToLower(v)
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return true
}
