package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/haz-build/haz/ready"
)

// Services that are real: servers as Debian packages them. One that is not installed is skipped, and says so; .ci/run installs them.

// A server of others. {as} stands for what gives up the powers of root.
type realServer struct {
	name     string
	programs []string // all that it takes
	serve    string   // how it is started, behind another command of the script
	service  string   // what is behind `service:`
	// ask is a shell command of a dependent, which prints something that no other start of the server would print.
	ask string
}

var realServers = []realServer{
	{
		name:     "postgresql",
		programs: []string{"initdb", "postgres", "pg_isready", "psql"},
		serve: `
      mkdir data && {own} data
      {as} initdb -D data -U app -A trust --locale=C --encoding=UTF8 --no-sync >initdb.log
      exec {as} postgres -D data -p "$HAZ_PORT" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off`,
		service: `
      port: auto
      ready:
        command: [pg_isready, -q, -h, 127.0.0.1, -p, "${HAZ_PORT}", -U, app, -d, postgres]
      stop: {signal: INT, grace: 10s}
      exports: {DB_URL: "postgresql://app@127.0.0.1:${HAZ_PORT}/postgres"}`,
		ask: `psql "$DB_URL" -v ON_ERROR_STOP=1 -Atqc "create table $0 (n int); insert into $0 select generate_series(1, 1000); select sum(n), pg_postmaster_start_time() from $0"`,
	},
	{
		name:     "redis",
		programs: []string{"redis-server", "redis-cli"},
		serve: `
      mkdir data && {own} data && cd data
      exec {as} redis-server --bind 127.0.0.1 --port "$HAZ_PORT" --save '' --appendonly no`,
		service: `
      port: auto
      ready: {output: Ready to accept connections}
      exports: {DB_URL: "redis://127.0.0.1:${HAZ_PORT}/0"}`,
		ask: `redis-cli -u "$DB_URL" incrby "$0" 500500; redis-cli -u "$DB_URL" info server | grep run_id`,
	},
}

// realWorkspace is one project: a service, two dependents that can share it, and one that needs it until it is killed. What the service
// has in its folder is new with each start, and each start leaves a line with its port.
const realWorkspace = `name: db
tasks:
  serve:
    shell: |
      rm -rf data && echo "$HAZ_PORT" >> starts{serve}
    service:{service}
  one: {shell: "{one}", deps: ["~:serve"], outputs: [one.txt]}
  two: {shell: "{two}", deps: ["~:serve"], outputs: [two.txt]}
  hold: {shell: "{hold}; echo > holding; exec sleep 987", deps: ["~:serve"], cache: false}
`

// TestRealServices runs tests against real servers: once for all dependents, not at all when these are cached, and whatever ends the run, no
// process and no port is left (EXEC-072, EXEC-074).
func TestRealServices(t *testing.T) {
	if testing.Short() {
		t.Skip("starts real servers")
	}
	withPostgreSQL(t)
	for _, s := range realServers {
		t.Run(s.name, func(t *testing.T) {
			for _, program := range s.programs {
				if _, err := exec.LookPath(program); err != nil {
					t.Skipf("SKIPPED: %s is not tested, since %s is not installed here", s.name, program)
				}
			}
			t.Run("shared, then cached", func(t *testing.T) { newRealRig(t, s).shared() })
			t.Run("as a target", func(t *testing.T) { newRealRig(t, s).target() })
			for _, moment := range []string{"starts", "holding"} {
				t.Run("killed, "+moment, func(t *testing.T) { newRealRig(t, s).killed(moment) })
			}
		})
	}
}

type realRig struct {
	*testing.T
	root string
}

func newRealRig(t *testing.T, s realServer) *realRig {
	root, as, own := openTempDir(t), "", "true"
	if os.Getuid() == 0 { // PostgreSQL does not want to be root
		as, own = "setpriv --reuid=65534 --regid=65534 --clear-groups --", "chown 65534:65534"
	}
	parts := []string{"{serve}", s.serve, "{service}", s.service}
	for _, task := range []string{"one", "two", "hold"} {
		ask := "{ echo $DB_URL; " + strings.ReplaceAll(s.ask, "$0", task) + "; } > " + task + ".txt"
		parts = append(parts, "{"+task+"}", strings.ReplaceAll(ask, `"`, `\"`))
	}
	body := strings.NewReplacer(parts...).Replace(realWorkspace)
	mustWrite(t, filepath.Join(root, ".haz/workspace.yml"), "projects: [/db]\n")
	mustWrite(t, filepath.Join(root, "db/haz.yml"), strings.NewReplacer("{as} ", as+" ", "{own}", own).Replace(body))
	r := &realRig{T: t, root: root}
	t.Cleanup(func() {
		for pid := range r.living() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	return r
}

func (r *realRig) living() map[int]string { return livingIn(r.root) }

func (r *realRig) read(name string) string {
	b, _ := os.ReadFile(filepath.Join(r.root, "db", name))
	return string(b)
}

// run runs haz to its end.
func (r *realRig) run(args ...string) (code int, said string) {
	r.Helper()
	p := startHaz(r.T, r.root, "", append([]string{"run", "-v"}, args...)...)
	return p.ends(r.T, time.Minute), p.said()
}

// starts are the ports of all starts of the service.
func (r *realRig) starts() (ports []int) {
	r.Helper()
	for line := range strings.Lines(r.read("starts")) {
		port, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			r.Fatalf("started on port %q", line)
		}
		ports = append(ports, port)
	}
	return ports
}

// nothingIsLeft looks for processes of the workspace, and for whoever listens where the service did.
func (r *realRig) nothingIsLeft(within time.Duration) {
	r.Helper()
	if !eventually(within, func() bool { return len(r.living()) == 0 }) {
		r.Errorf("left: %v", r.living())
	}
	for _, port := range r.starts() {
		if h, taken := (ready.Host{}).Taken(port); taken {
			r.Errorf("port %d is held by %+v", port, h)
		}
	}
}

// seen is what a dependent saw: where the service was, and what it answered.
func (r *realRig) seen(task string) (at, answer string) {
	r.Helper()
	at, answer, _ = strings.Cut(r.read(task+".txt"), "\n")
	if !strings.Contains(at, "://") || !strings.Contains(answer, "500500") {
		r.Errorf("%s saw %q, %q", task, at, answer)
	}
	return at, answer
}

func (r *realRig) shared() {
	code, said := r.run("db:one", "db:two")
	if code != 0 {
		r.Fatalf("exit code %d:\n%s", code, said)
	}
	at, one := r.seen("one")
	also, two := r.seen("two")
	if at != also || one != two || len(r.starts()) != 1 {
		r.Errorf("one start for both: %q, %q; %q, %q; started on %v", at, also, one, two, r.starts())
	}
	r.nothingIsLeft(0)

	for range 2 {
		code, said = r.run("db:one", "db:two")
		if code != 0 || len(r.starts()) != 1 || !strings.Contains(said, "[db:one] ◉") || !strings.Contains(said, "[db:two] ◉") {
			r.Errorf("once more: exit code %d, started on %v:\n%s", code, r.starts(), said)
		}
	}
	mustWrite(r.T, filepath.Join(r.root, "db/haz.yml"), strings.Replace(r.read("haz.yml"), "rm -rf data &&", "rm -r -f data &&", 1))
	if code, said = r.run("db:one"); code != 0 || len(r.starts()) != 2 {
		r.Errorf("another service: exit code %d, started on %v:\n%s", code, r.starts(), said)
	}
	if _, other := r.seen("one"); other == one {
		r.Errorf("what the first one said is still there: %q", other)
	}
	r.nothingIsLeft(0)
}

// target stays until it is interrupted.
func (r *realRig) target() {
	p := startHaz(r.T, r.root, "", "run", "-v", "db:serve")
	if !eventually(time.Minute, func() bool { return strings.Contains(p.said(), "ready") }) {
		r.Fatalf("not ready:\n%s", p.said())
	}
	if ports := r.starts(); len(ports) != 1 {
		r.Errorf("started on %v", ports)
	} else if h, taken := (ready.Host{}).Taken(ports[0]); !taken || h.Name == "" || r.living()[h.PID] == "" {
		r.Errorf("port %d is held by %+v, %t:\n%s", ports[0], h, taken, p.said())
	}
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		r.Fatal(err)
	}
	if code := p.ends(r.T, time.Minute); code != 130 {
		r.Errorf("exit code %d:\n%s", code, p.said())
	}
	r.nothingIsLeft(0)
}

// killed kills haz, and nobody else, as soon as a file is there.
func (r *realRig) killed(moment string) {
	p := startHaz(r.T, r.root, "", "run", "-v", "db:hold")
	if !eventually(time.Minute, func() bool { return r.read(moment) != "" }) {
		r.Fatalf("no %s:\n%s", moment, p.said())
	}
	if err := p.cmd.Process.Kill(); err != nil {
		r.Fatal(err)
	}
	p.ends(r.T, slack)
	r.nothingIsLeft(2*time.Second + slack)
}

// killedWorkspace has two servers of examples/services, one of which needs the other, and a task that needs both until it is killed. Each
// start of a server leaves its port.
const killedWorkspace = `name: p
tasks:
  store:
    shell: echo $HAZ_PORT >> starts && exec {bin}/store
    service: {ready: {port: auto}, exports: {STORE_URL: "http://127.0.0.1:${HAZ_PORT}"}}
  web:
    shell: echo $HAZ_PORT >> starts && exec {bin}/web
    deps: ["~:store"]
    service: {port: auto, ready: {http: {url: "http://127.0.0.1:${HAZ_PORT}/health"}}, exports: {WEB_URL: "http://127.0.0.1:${HAZ_PORT}"}}
  use: {shell: "echo > begun; exec sleep 987", deps: ["~:web", "~:store"], cache: false}
`

// At whatever moment haz is killed, no process of its services is left two seconds later, and no port (S-30). HAZ_LONG=1 tries 200
// moments, HAZ_SEED others.
func TestServicesOfAKilledHaz(t *testing.T) {
	if testing.Short() {
		t.Skip("starts real servers")
	}
	bin := t.TempDir()
	build := exec.Command("go", "build", "-C", "../../examples/services", "-o", bin+"/", "./store", "./web")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	realHaz(t) // whose building is no time of a run
	moments := 8
	if long() {
		moments = 200
	}
	random := seeded(t)
	whole := time.Duration(0) // from the start of haz until all is up
	for i := range 1 + moments {
		root := openTempDir(t)
		mustWrite(t, filepath.Join(root, ".haz/workspace.yml"), "projects: [/db]\n")
		mustWrite(t, filepath.Join(root, "db/haz.yml"), strings.ReplaceAll(killedWorkspace, "{bin}", bin))
		r := &realRig{T: t, root: root}
		begin := time.Now()
		p := startHaz(t, root, "", "run", "-v", "p:use")
		if i == 0 {
			if !eventually(time.Minute, func() bool { return r.read("begun") != "" }) {
				t.Fatalf("it has not begun:\n%s", p.said())
			}
			whole = time.Since(begin)
		} else {
			time.Sleep(time.Duration(random.Int64N(int64(whole + whole/4))))
		}
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		p.ends(t, slack)
		r.nothingIsLeft(2*time.Second + slack)
		if t.Failed() {
			t.Fatalf("killed after %v:\n%s", time.Since(begin), p.said())
		}
	}
}

// What docs/services.md shows is right: its files are checked, and its database is asked, by somebody who is not root.
func TestServicesPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/services.md")
	if err != nil {
		t.Fatal(err)
	}
	root := openTempDir(t)
	var projects []string
	for _, m := range fileOfPage.FindAllStringSubmatch(string(page), -1) {
		mustWrite(t, filepath.Join(root, m[1]), m[2])
		if dir, name := filepath.Split(m[1]); name == "haz.yml" {
			projects = append(projects, "/"+filepath.Clean(dir))
		}
	}
	if len(projects) != strings.Count(string(page), "\n```yaml\n") || len(projects) < 4 {
		t.Errorf("%d files of %d blocks", len(projects), strings.Count(string(page), "\n```yaml\n"))
	}
	mustWrite(t, filepath.Join(root, ".haz/workspace.yml"), "projects: ["+strings.Join(projects, ", ")+"]\n")
	for _, name := range []string{"shop/shop.go", "site/src/main.js", "site/tests/main.js", "site/package.json"} { // inputs
		mustWrite(t, filepath.Join(root, name), "\n")
	}
	p := startHaz(t, root, "", "check")
	if code := p.ends(t, time.Minute); code != 0 || strings.Contains(p.said(), "warning") {
		t.Errorf("exit code %d:\n%s", code, p.said())
	}
	if testing.Short() {
		return
	}
	withPostgreSQL(t)
	for _, program := range realServers[0].programs {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("SKIPPED: the database of docs/services.md is not started, since %s is not installed here", program)
		}
	}
	program, args := realHaz(t), []string{"run", "db:query"}
	if os.Getuid() == 0 {
		own := filepath.Join(root, "haz")
		if err := os.Link(program, own); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("chown", "-R", "65534:65534", root).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		program, args = "setpriv", append([]string{"--reuid=65534", "--regid=65534", "--clear-groups", "--", own}, args...)
	}
	p = startProgram(t, root, "", program, args...)
	code := p.ends(t, time.Minute)
	if out, err := os.ReadFile(p.stdout); err != nil || code != 0 || !strings.Contains(string(out), "[db:query] 3\n") {
		t.Errorf("exit code %d, %q, %v:\n%s", code, out, err, p.said())
	}
	if left := livingIn(root); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// withPostgreSQL adds the folder to PATH in which Debian keeps what starts a server.
func withPostgreSQL(t *testing.T) {
	more, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	t.Setenv("PATH", strings.Join(append([]string{os.Getenv("PATH")}, more...), ":"))
}

// openTempDir is a folder of the test that other users may enter, without links in its name.
func openTempDir(t *testing.T) string {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for dir := root; os.Getuid() == 0 && dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}
