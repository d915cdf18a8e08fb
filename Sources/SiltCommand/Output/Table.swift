/// A table for people: columns as wide as they must be, the one that can give way shortened to fit 80 columns.
struct Table {
    /// How a column stands.
    struct Column {
        let title: String
        var isNumber = true
        /// Whether the column may be shortened.
        var canShrink = false
    }

    let columns: [Column]
    private var rows: [[String]] = []

    init(_ columns: [Column]) { self.columns = columns }

    mutating func add(_ row: [String]) { rows.append(row) }

    /// The lines, two spaces between columns, at most `width` characters each.
    func lines(width: Int = 80) -> [String] {
        var widths = columns.indices.map { index in
            ([columns[index].title] + rows.map { $0[index] }).map(\.count).max() ?? 0
        }
        let excess = widths.reduce(0, +) + 2 * columns.count - width
        if excess > 0, let index = columns.firstIndex(where: \.canShrink) {
            widths[index] = max(8, widths[index] - excess)
        }
        return ([columns.map(\.title)] + rows).map { row in
            let cells = columns.indices.map { index -> String in
                let text = Text.shortened(row[index], to: max(widths[index], 2))
                return columns[index].isNumber ? Text.right(text, widths[index]) : Text.left(text, widths[index])
            }
            var line = "  " + cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}
