package hook

// ParseAnswer is parseAnswer.
var ParseAnswer = parseAnswer
