/// A table of which one column is bars.
struct Bars {
    /// How a piece of a bar looks; each also without colour.
    enum Fill: String {
        case solid, hatched, empty
    }

    /// A piece of a bar.
    struct Piece {
        let value: Double
        let fill: Fill
        let colour: Int
    }

    /// A row.
    struct Row {
        let name: Markup
        let pieces: [Piece]
        let cells: [String]
        /// Whether it is none of the others' kind: what is left, or what everything shares.
        var isApart = false
    }

    let caption: String
    /// What the rows are.
    let title: String
    /// What the bars are.
    let barTitle: String
    /// The columns of words; optional ones are left out on narrow screens.
    let columns: [(title: String, isOptional: Bool)]
    let rows: [Row]

    /// The table; the longest bar fills its column.
    var markup: Markup {
        let longest = rows.map { $0.pieces.reduce(0) { $0 + $1.value } }.filter(\.isFinite).max() ?? 0
        let head = columns.map { column -> Markup in
            "<th scope=\"col\" class=\"n\(column.isOptional ? " optional" : "")\">\(column.title)</th>"
        }
        let body = rows.map { row -> Markup in
            let pieces = row.pieces.filter { $0.value > 0 && longest > 0 }.map { piece -> Markup in
                "<i class=\"\(piece.fill.rawValue) c\(piece.colour)\" style=\"width:\(100 * piece.value / longest)%\"></i>"
            }
            let cells = zip(row.cells, columns).map { cell, column -> Markup in
                "<td class=\"n\(column.isOptional ? " optional" : "")\">\(cell)</td>"
            }
            return """
                <tr\(row.isApart ? " class=\"apart\"" : "" as Markup)><th scope="row">\(row.name)</th>\
                <td class="bar"><span aria-hidden="true">\(pieces)</span></td>\(cells)</tr>
                """
        }
        return """
            <div class="scroll">
            <table>
            <caption>\(caption)</caption>
            <thead><tr><th scope="col">\(title)</th><th scope="col">\(barTitle)</th>\(head)</tr></thead>
            <tbody>
            \(body)
            </tbody>
            </table>
            </div>
            """
    }

    /// What fills mean.
    static func legend(_ entries: [(fill: Fill, colour: Int, words: String)]) -> Markup {
        let items = entries.map { entry -> Markup in
            """
            <li><span class="swatch \(entry.fill.rawValue) c\(entry.colour)" aria-hidden="true"></span>\(entry.words)</li>
            """
        }
        return "<ul class=\"legend\">\(items)</ul>"
    }
}
