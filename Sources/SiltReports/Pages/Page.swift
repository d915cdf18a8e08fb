/// What every page has: the document around it, and pieces that look the same everywhere.
enum Page {
    /// A document that needs nothing from elsewhere; browsers are told to fetch nothing.
    static func document(title: String, _ body: [Markup]) -> String {
        let page: Markup = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="generator" content="silt">
            <link rel="icon" href="data:,">
            <title>\(title)</title>
            <style>
            \(Style.sheet)
            </style>
            </head>
            <body>
            <main>
            \(body)
            </main>
            </body>
            </html>

            """
        return page.text
    }

    /// A section with a heading that says what is seen.
    static func section(_ title: String, _ content: [Markup]) -> Markup {
        """
        <section>
        <h2>\(title)</h2>
        \(content)
        </section>
        """
    }

    /// A drawing, made for wide and for narrow screens, with words below, and above if there is a heading.
    static func figure(caption: Markup, heading: Markup = "", _ draw: (Plot.Size) -> Markup) -> Markup {
        """
        <figure>
        \(heading)
        \(Plot.Size.allCases.map(draw))
        <figcaption>\(caption)</figcaption>
        </figure>
        """
    }

    /// Figures with what they are.
    static func facts(_ facts: [(name: String, value: String)]) -> Markup {
        let items = facts.map { fact -> Markup in "<div><dt>\(fact.name)</dt><dd>\(fact.value)</dd></div>" }
        // Rows of equal length, as far as that goes.
        let columns = facts.count <= 5 ? facts.count : facts.count % 3 == 0 ? 3 : 4
        return "<dl class=\"facts\" style=\"--columns:\(columns)\">\(items)</dl>"
    }

    /// A status: sign, word, and colour.
    static func status(_ isGood: Bool, _ words: String) -> Markup {
        "<p class=\"status \(isGood ? "good" : "bad")\"><span aria-hidden=\"true\">\(isGood ? "✓" : "✗")</span> \(words)</p>"
    }

    /// Something that is folded until it is asked for.
    static func details(_ summary: String, _ content: Markup) -> Markup {
        """
        <details>
        <summary>\(summary)</summary>
        \(content)
        </details>
        """
    }

    /// A row of a table.
    struct Row {
        let cells: [Markup]
        /// Whether it is set off.
        var isFront = false

        /// A row of `cells`, one for each column.
        init(_ cells: [Markup], isFront: Bool = false) {
            self.cells = cells
            self.isFront = isFront
        }
    }

    /// A table; columns of numbers are aligned at their ends.
    static func table(
        caption: String, _ columns: [(title: String, isNumber: Bool)], _ rows: [Row]
    ) -> Markup {
        let head = columns.map { column -> Markup in
            "<th scope=\"col\"\(column.isNumber ? " class=\"n\"" : "" as Markup)>\(column.title)</th>"
        }
        let body = rows.map { row -> Markup in
            let cells = zip(row.cells, columns).enumerated().map { index, pair -> Markup in
                let (cell, column) = pair
                if index == 0 { return "<th scope=\"row\">\(cell)</th>" }
                return "<td\(column.isNumber ? " class=\"n\"" : "" as Markup)>\(cell)</td>"
            }
            return row.isFront ? "<tr class=\"front\">\(cells)</tr>" : "<tr>\(cells)</tr>"
        }
        return """
            <div class="scroll">
            <table>
            <caption>\(caption)</caption>
            <thead><tr>\(head)</tr></thead>
            <tbody>
            \(body)
            </tbody>
            </table>
            </div>
            """
    }

    /// A name from a file, whose direction is kept to itself.
    ///
    /// Long ones break after dots, underscores and slashes.
    static func name(_ text: String) -> Markup {
        var pieces: [String] = [""]
        for character in text {
            pieces[pieces.count - 1].append(character)
            if "._/".contains(character) { pieces.append("") }
        }
        let joined = pieces.dropFirst().reduce("\(pieces[0])" as Markup) { "\($0)<wbr>\($1)" }
        return "<bdi class=\"name\">\(joined)</bdi>"
    }

    /// The last component of a path, or all of it if that is empty or dots.
    static func lastComponent(_ path: String) -> String {
        let last = path.split(separator: "/").last.map(String.init) ?? path
        return last == "." || last == ".." ? path : last
    }
}
