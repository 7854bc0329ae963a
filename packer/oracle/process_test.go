package oracle_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// answerMax is how long an oracle may take for one batch of questions; it takes seconds.
const answerMax = 5 * time.Minute

// oracle is one program that answers on a pipe. It starts when first asked.
type oracle struct {
	name    string
	command []string
	needs   []string // files without which it cannot be

	once  sync.Once
	fault error
	mu    sync.Mutex // one batch at a time
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Reader
}

const (
	clojureJar = "/usr/share/java/clojure.jar"
	readerJar  = "/usr/share/java/tools.reader.jar"
)

var (
	// Without the optimizing compiler, which costs more than it gains in so short a life.
	jvm = &oracle{name: "clojure", needs: []string{clojureJar, readerJar},
		command: []string{"java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
			"-cp", clojureJar + ":" + readerJar, "clojure.main", "edn.clj"}}
	cljs      = nodeOracle("nbb", "node_modules/nbb/cli.js", "cljs.cljs")
	transitJS = nodeOracle("transit-js", "transit.mjs")
	msgpackJS = nodeOracle("@msgpack/msgpack", "msgpack.mjs")
)

func nodeOracle(name string, args ...string) *oracle {
	return &oracle{name: name, needs: []string{"node_modules/" + name},
		command: append([]string{"node"}, args...)}
}

// TestMain ends the oracles that were started.
func TestMain(m *testing.M) {
	code := m.Run()
	for _, o := range []*oracle{jvm, cljs, transitJS, msgpackJS} {
		o.stop()
	}
	os.Exit(code)
}

func (o *oracle) start() {
	for _, file := range o.needs {
		if _, err := os.Stat(file); err != nil {
			o.fault = err
			return
		}
	}
	o.cmd = exec.Command(o.command[0], o.command[1:]...)
	o.cmd.Stderr = os.Stderr
	in, err := o.cmd.StdinPipe()
	if err != nil {
		o.fault = err
		return
	}
	out, err := o.cmd.StdoutPipe()
	if err != nil {
		o.fault = err
		return
	}
	o.in, o.out = in, bufio.NewReaderSize(out, 1<<20)
	o.fault = o.cmd.Start()
}

func (o *oracle) stop() {
	if o.in == nil || o.fault != nil {
		return
	}
	o.in.Close()
	// Neither a kill that comes too late nor how the oracle ends says anything.
	killer := time.AfterFunc(5*time.Second, func() { _ = o.cmd.Process.Kill() })
	_ = o.cmd.Wait()
	killer.Stop()
}

// need starts the oracles, or skips the test when one is not installed.
func need(t *testing.T, oracles ...*oracle) {
	t.Helper()
	for _, o := range oracles {
		o.once.Do(o.start)
		switch {
		case o.fault == nil:
		case os.Getenv("CHSKD_REQUIRE_ORACLES") == "1":
			t.Fatalf("oracle %s: %v", o.name, o.fault)
		default:
			t.Skipf("oracle %s is not here (packer/oracle/deps.sh installs it): %v", o.name, o.fault)
		}
	}
}

// question is one thing to ask: an op of the oracle's and its operand.
type question struct{ op, text string }

// answer is what came back; refused says that text is a reason.
type answer struct {
	text    string
	refused bool
}

func (a answer) String() string {
	if a.refused {
		return "refused: " + a.text
	}
	return a.text
}

// ask has the oracle answer all questions, in their order. An oracle that ends or hangs is a
// panic: no test after it could say anything.
func (o *oracle) ask(questions []question) []answer {
	o.mu.Lock()
	defer o.mu.Unlock()
	hung := time.AfterFunc(answerMax, func() { _ = o.cmd.Process.Kill() }) // gone already: fine
	defer hung.Stop()
	go func() {
		w := bufio.NewWriter(o.in)
		for _, q := range questions {
			fmt.Fprintf(w, "%s %s\n", q.op, base64.StdEncoding.EncodeToString([]byte(q.text)))
		}
		_ = w.Flush() // a broken pipe shows as an answer that is missing
	}()
	answers := make([]answer, len(questions))
	for i := range answers {
		line, err := o.out.ReadString('\n')
		if err != nil {
			panic(fmt.Sprintf("oracle %s: answer %d of %d to %v: %v",
				o.name, i, len(answers), questions[i], err))
		}
		word, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil || word != "ok" && word != "no" {
			panic("oracle " + o.name + " said " + line)
		}
		answers[i] = answer{string(b), word == "no"}
	}
	return answers
}

// askAll asks one op of every text.
func (o *oracle) askAll(op string, texts []string) []answer {
	questions := make([]question, len(texts))
	for i, text := range texts {
		questions[i] = question{op, text}
	}
	return o.ask(questions)
}

// trees asks for the trees of texts that must be readable.
func (o *oracle) trees(t *testing.T, op string, texts []string) []*tree {
	t.Helper()
	trees := make([]*tree, len(texts))
	for i, a := range o.askAll(op, texts) {
		if a.refused {
			t.Fatalf("%s refuses %s: %s", o.name, texts[i], a.text)
		}
		trees[i] = parseTree(a.text)
	}
	return trees
}

// written asks for what the oracle writes, of values that it must be able to write.
func (o *oracle) written(t *testing.T, op string, texts []string) []string {
	t.Helper()
	out := make([]string, len(texts))
	for i, a := range o.askAll(op, texts) {
		if a.refused {
			t.Fatalf("%s cannot do %s of %s: %s", o.name, op, texts[i], a.text)
		}
		out[i] = a.text
	}
	return out
}

// complaints are what went wrong, of which the shortest are printed: one bug is met by hundreds of
// values, and the small ones tell most.
type complaints struct {
	t    *testing.T
	said []string
}

func (c *complaints) errorf(format string, args ...any) {
	c.said = append(c.said, fmt.Sprintf(format, args...))
}

// done fails the test if there are any.
func (c *complaints) done() {
	const printMax = 8
	slices.SortFunc(c.said, func(a, b string) int { return len(a) - len(b) })
	for _, said := range c.said[:min(len(c.said), printMax)] {
		c.t.Error(said)
	}
	if len(c.said) > printMax {
		c.t.Errorf("and %d more", len(c.said)-printMax)
	}
}
