// Package daemontest runs chskd for the tests of other packages: the program itself, built once a
// test binary, on a free port of 127.0.0.1 and with an API socket of its own. It is not imported by
// anything but tests, and does not know what they test.
//
//	func TestMain(m *testing.M) { os.Exit(daemontest.Main(m.Run)) }
//
//	func TestIt(t *testing.T) {
//		d := daemontest.Serve(t, "--auth", "dev") // listens
//		talk(d.Addr, d.API)
//		d.End(t, syscall.SIGTERM)
//		d.Again(t, "--listen", d.Addr)
//	} // what still runs is killed; what it printed is shown if the test failed
//
// A test owns the processes that it starts. Every method may be called from any goroutine, but for
// [Daemon.Again], whose caller is the only one to use the daemon then.
package daemontest
