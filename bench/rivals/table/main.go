// Command table makes the tables of a comparison from the JSON of its runs, which compare.sh calls
// SERVER.SCENARIO.ROUND.json: every value in compare.csv, and medians with their spread in
// compare.md, both in the folder. Usage: table FOLDER SERVER...   (in the order of the rows)
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// result is what is read of a run, `chskd bench --json` or the like.
type result struct {
	Handshakes struct {
		CPU *cost `json:"server_cpu"`
	} `json:"handshakes"`
	Idle *struct {
		RSS struct {
			Slope float64 `json:"slope"`
			R2    float64 `json:"r2"`
		} `json:"rss_per_conn"`
	} `json:"idle"`
	Ping *struct {
		CPU *cost `json:"server_cpu"`
	} `json:"ping"`
	Broadcast *struct {
		CPU *cost `json:"server_cpu"`
	} `json:"broadcast"`
}

type cost struct {
	EachUs float64 `json:"each_us"`
	UserUs float64 `json:"user_us"`
}

// column is one figure: the scenario it is taken from, and how.
type column struct {
	scenario, name, unit string
	digits               int
	value                func(*result) float64
}

var columns = []column{
	{"idle", "RSS an idle WebSocket", "B", 0, func(r *result) float64 { return r.Idle.RSS.Slope }},
	{"idle", "handshake", "us", 1, func(r *result) float64 { return r.Handshakes.CPU.EachUs }},
	{"idle", "handshake, user space", "us", 1, func(r *result) float64 { return r.Handshakes.CPU.UserUs }},
	{"ping", "ping", "us", 1, func(r *result) float64 { return r.Ping.CPU.EachUs }},
	{"ping", "ping, user space", "us", 1, func(r *result) float64 { return r.Ping.CPU.UserUs }},
	{"broadcast", "delivery", "us", 1, func(r *result) float64 { return r.Broadcast.CPU.EachUs }},
	{"broadcast", "delivery, user space", "us", 1, func(r *result) float64 { return r.Broadcast.CPU.UserUs }},
}

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: table FOLDER SERVER...")
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		log.Fatal(err)
	}
}

func run(folder string, servers []string) error {
	csv := []string{"server,scenario,figure,unit,round,value"}
	md := []string{header(), "|---|" + strings.Repeat("---:|", len(columns))}
	for _, server := range servers {
		row := "| " + server + " |"
		for _, c := range columns {
			values, err := c.read(folder, server)
			if err != nil {
				return err
			}
			for i, v := range values {
				csv = append(csv, fmt.Sprintf("%s,%s,%q,%s,%d,%.3f", server, c.scenario, c.name, c.unit, i+1, v))
			}
			row += " " + c.cell(values) + " |"
		}
		md = append(md, row)
	}
	for name, lines := range map[string][]string{"compare.csv": csv, "compare.md": md} {
		text := strings.Join(lines, "\n") + "\n"
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o666); err != nil {
			return err
		}
	}
	fmt.Println(strings.Join(md, "\n"))
	return nil
}

func header() string {
	line := "| |"
	for _, c := range columns {
		line += fmt.Sprintf(" %s, %s |", c.name, c.unit)
	}
	return line
}

// read returns the figure of each round, in the order of their file names.
func (c *column) read(folder, server string) ([]float64, error) {
	files, err := filepath.Glob(filepath.Join(folder, server+"."+c.scenario+".*.json"))
	if err != nil {
		return nil, err
	}
	var values []float64
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var r result
		if err := json.Unmarshal(text, &r); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		values = append(values, c.value(&r))
	}
	return values, nil
}

// cell is the median and, in brackets, the least and the most; with the count if it is not 5.
func (c *column) cell(values []float64) string {
	if len(values) == 0 {
		return ""
	}
	slices.Sort(values)
	n := len(values)
	median := (values[(n-1)/2] + values[n/2]) / 2
	text := fmt.Sprintf("%.*f (%.*f-%.*f)", c.digits, median, c.digits, values[0], c.digits, values[n-1])
	if n != 5 {
		text += fmt.Sprintf(" n=%d", n)
	}
	return text
}
