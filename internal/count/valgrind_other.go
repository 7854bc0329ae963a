//go:build !amd64

package count

// Elsewhere allocations alone are counted.

func startCounting() {}

func stopCounting(string) {}
