package bench

// membership is who is in which of the run's topics, by a rule, so that a worker needs no list: the
// connection with number i is in the topics i, i+step, i+2*step ... modulo their number, Each of
// them. The zero value is no topics.
type membership struct {
	Topics int `json:"topics,omitempty"`
	Each   int `json:"each,omitempty"` // topics of one connection
}

func (m membership) step() int { return max(m.Topics/max(m.Each, 1), 1) }

// topic is the j-th topic of a connection.
func (m membership) topic(number, j int) int { return (number + j*m.step()) % m.Topics }

// members is how many of count connections, numbered from 0, are in a topic.
func (m membership) members(topic, count int) (n int) {
	for j := range m.Each {
		// Of the numbers that are congruent to this one there is one in each stretch of Topics.
		first := ((topic-j*m.step())%m.Topics + m.Topics) % m.Topics
		if first < count {
			n += (count - first + m.Topics - 1) / m.Topics
		}
	}
	return n
}

// counters is how many streams a connection gets.
func (m membership) counters() int { return streamTopic + m.Each }

// place is the counter of a stream among those of a connection; -1 = it is to get nothing of it.
func (m membership) place(number int, stream uint32) int {
	if stream < streamTopic {
		return int(stream)
	}
	topic := int(stream - streamTopic)
	if topic >= m.Topics {
		return -1
	}
	ahead := ((topic-number)%m.Topics + m.Topics) % m.Topics
	if ahead%m.step() != 0 || ahead/m.step() >= m.Each {
		return -1
	}
	return streamTopic + ahead/m.step()
}

// stream is the stream of a connection's counter.
func (m membership) stream(number, place int) uint32 {
	if place < streamTopic {
		return uint32(place)
	}
	return streamTopic + uint32(m.topic(number, place-streamTopic))
}

// lasts are the numbers of the last events that were pushed.
type lasts struct {
	First  int      `json:"first,omitempty"` // connection number of Users[0]
	Users  []uint32 `json:"users,omitempty"`
	All    uint32   `json:"all,omitempty"`
	Topics []uint32 `json:"topics,omitempty"`
}

// of is the last number that the connection with a number is to have of a stream.
func (l *lasts) of(number int, stream uint32) uint32 {
	switch {
	case stream == streamAll:
		return l.All
	case stream == streamUser:
		if i := number - l.First; i >= 0 && i < len(l.Users) {
			return l.Users[i]
		}
		return 0
	case int(stream-streamTopic) < len(l.Topics):
		return l.Topics[stream-streamTopic]
	}
	return 0
}

// part is what the count connections from first on need of l.
func (l *lasts) part(first, count int) *lasts {
	p := *l
	p.First = first
	from, to := min(first-l.First, len(l.Users)), min(first-l.First+count, len(l.Users))
	p.Users = l.Users[from:to]
	return &p
}
