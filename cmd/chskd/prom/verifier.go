package prom

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/chskd/chskd/auth/verifier"
)

// What finds out who clients are. Without a mode that needs it all of this is there, at 0.

var identity = []family{
	ofVerifier("chskd_identity_remembered_total", "Requests whose identity was remembered from "+
		"an earlier one.", grows,
		func(s *verifier.Stats) float64 { return float64(s.Hits) }),
	ofVerifier("chskd_identity_joined_total", "Requests that waited for a check that was under way "+
		"for an equal one.", grows,
		func(s *verifier.Stats) float64 { return float64(s.Joined) }),
	{
		name: "chskd_identity_checks_total", help: "Tokens that were checked (jwt) and questions to " +
			"the application (hook), by what was found out; unknown: nothing, which is a 503.",
		kind: grows, labels: []string{"by", "result"},
		tell: eachWay(func(k string, w *verifier.WayStats, series func(float64, ...string)) {
			for r := range verifier.Results {
				series(float64(w.Checks[r]), k, r.String())
			}
		}),
	},
	{
		name: "chskd_identity_unchecked_total", help: "Checks not done, each a 503: full, no room in " +
			"the queue; crowded, too many waited for the same; breaker, the application did not " +
			"answer lately; late, waited too long; revoked, the user was, meanwhile; stopping.",
		kind: grows, labels: []string{"by", "reason"},
		tell: eachWay(func(k string, w *verifier.WayStats, series func(float64, ...string)) {
			for r := verifier.Full; r < verifier.Reasons; r++ {
				series(float64(w.Unasked[r]), k, r.String())
			}
		}),
	},
	{
		name: "chskd_identity_waiting", help: "Checks that wait in a queue.",
		kind: isNow, labels: []string{"by"},
		tell: eachWay(func(k string, w *verifier.WayStats, series func(float64, ...string)) {
			series(float64(w.Waiting), k)
		}),
	},
	{
		name: "chskd_identity_checking", help: "Checks under way.",
		kind: isNow, labels: []string{"by"},
		tell: eachWay(func(k string, w *verifier.WayStats, series func(float64, ...string)) {
			series(float64(w.Busy), k)
		}),
	},
	{
		name: "chskd_identity_check_seconds", help: "How long checks took, without their wait in the " +
			"queue.",
		labels: []string{"by"}, made: identityTimes,
	},
	ofVerifier("chskd_identity_memory_entries", "Grants and refusals that are remembered.", isNow,
		func(s *verifier.Stats) float64 { return float64(s.Entries) }),
	ofVerifier("chskd_identity_memory_bytes", "Bytes that they take, about.", isNow,
		func(s *verifier.Stats) float64 { return float64(s.Bytes) }),
	ofVerifier("chskd_identity_evicted_total", "Grants and refusals forgotten for want of room.",
		grows,
		func(s *verifier.Stats) float64 { return float64(s.Evicted) }),
	ofVerifier("chskd_hook_failures_total", "Questions that the application did not answer: a "+
		"timeout, no connection, or a gateway's 502, 503 or 504.", grows,
		func(s *verifier.Stats) float64 { return float64(s.HookFailures) }),
	ofVerifier("chskd_hook_timeouts_total", "Those of chskd_hook_failures_total that were timeouts.",
		grows,
		func(s *verifier.Stats) float64 { return float64(s.HookTimeouts) }),
	ofVerifier("chskd_hook_breaker_opens_total", "Times that the application was left alone for a "+
		"second, because it had not answered ten times in a row.", grows,
		func(s *verifier.Stats) float64 { return float64(s.BreakerOpens) }),
	ofVerifier("chskd_hook_breaker_open", "1 while it is left alone.", isNow,
		func(s *verifier.Stats) float64 { return truth(s.BreakerOpen) }),
	ofVerifier("chskd_revocations", "Users that are revoked now.", isNow,
		func(s *verifier.Stats) float64 { return float64(s.Revocations) }),
	ofVerifier("chskd_revocations_forgotten_total", "Revocations that were forgotten before their "+
		"time, because there were too many: their tokens are good again.", grows,
		func(s *verifier.Stats) float64 { return float64(s.RevocationsForgotten) }),
	ofVerifier("chskd_revoked_tokens_total", "Tokens refused because their user was revoked.", grows,
		func(s *verifier.Stats) float64 { return float64(s.TokensRevoked) }),
}

// ofVerifier is a family of one number of the verifier.
func ofVerifier(name, help string, kind prometheus.ValueType,
	of func(*verifier.Stats) float64,
) family {
	return family{name: name, help: help, kind: kind,
		tell: func(s *scrape, series func(float64, ...string)) { series(of(s.verified())) }}
}

// eachWay tells series of each way to find out who clients are.
func eachWay(tell func(by string, w *verifier.WayStats, series func(float64, ...string)),
) func(*scrape, func(float64, ...string)) {
	return func(s *scrape, series func(float64, ...string)) {
		v := s.verified()
		for k := range verifier.Kinds {
			tell(k.String(), &v.Ways[k], series)
		}
	}
}

// verified is the verifier's numbers, all of one moment.
func (s *scrape) verified() *verifier.Stats {
	if s.identity == nil {
		s.identity = new(verifier.Stats)
		if s.Verifier != nil {
			*s.identity = s.Verifier()
		}
	}
	return s.identity
}

// identityTimes makes the histograms of each way.
func identityTimes(s *scrape, desc *prometheus.Desc, to chan<- prometheus.Metric) {
	v := s.verified()
	for k := range verifier.Kinds {
		times := &v.Ways[k].Times
		buckets, total := make(map[float64]uint64, verifier.Buckets-1), uint64(0)
		for i, n := range times.Buckets {
			total += n
			if i < verifier.Buckets-1 { // the last is +Inf
				buckets[(verifier.TimesUnit << i).Seconds()] = total
			}
		}
		to <- prometheus.MustNewConstHistogram(desc, total, times.Sum.Seconds(), buckets, k.String())
	}
}
