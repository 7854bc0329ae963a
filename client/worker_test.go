package client_test

// worker is a backend in a process of its own, for tests that kill it.
func worker(string) {}
