extension Text {
    /// `line` broken at spaces so that it fits 80 columns; it begins with `first`, lines after it with `next`.
    static func wrapped(_ line: String, first: String = "", next: String = "  ") -> [String] {
        var lines: [String] = []
        var current = first
        for word in line.split(separator: " ", omittingEmptySubsequences: false) {
            let isBegun = !lines.isEmpty || current != first
            if isBegun, current.count + 1 + word.count > 80 {
                lines.append(current)
                current = next + word
            } else {
                current += (isBegun ? " " : "") + word
            }
        }
        return lines + [current]
    }
}
