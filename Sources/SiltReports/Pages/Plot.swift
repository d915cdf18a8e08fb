/// A drawing with two axes.
struct Plot {
    /// For which width a drawing is made: text must be legible on both, so drawings are not just scaled.
    enum Size: String, CaseIterable {
        case wide, narrow

        /// Units of the drawing, about a CSS pixel each.
        var width: Double { self == .wide ? 840 : 350 }
    }

    let size: Size
    let height: Double
    /// Where the axes are.
    let left: Double, right: Double, top: Double, bottom: Double
    private var marks: [Markup] = []

    /// An empty drawing; margins are for axes and their words.
    init(_ size: Size, height: Double, left: Double = 56, right: Double = 16, top: Double = 30, bottom: Double = 46) {
        self.size = size
        self.height = height
        (self.left, self.right) = (left, size.width - right)
        (self.top, self.bottom) = (top, height - bottom)
    }

    /// Puts a mark on top of what is there.
    mutating func add(_ mark: Markup) { marks.append(mark) }

    /// The horizontal axis: lines up from its ticks, words below.
    mutating func addHorizontalAxis(_ ticks: [(value: Double, words: String)], _ scale: Scale, title: String) {
        for tick in ticks where scale.has(tick.value) {
            let x = scale(tick.value)
            add("<path class=\"grid\" d=\"M\(x) \(top)V\(bottom)\"/>")
            add("<text class=\"tick\" x=\"\(x)\" y=\"\(bottom + 16)\" text-anchor=\"middle\">\(tick.words)</text>")
        }
        add("<path class=\"axis\" d=\"M\(left) \(bottom)H\(right)\"/>")
        add(
            """
            <text class="axis-title" x="\((left + right) / 2)" y="\(bottom + 36)" text-anchor="middle">\(title)</text>
            """)
    }

    /// The vertical axis: lines right from its ticks, words to the left, the title above.
    mutating func addVerticalAxis(_ ticks: [(value: Double, words: String)], _ scale: Scale, title: String) {
        for tick in ticks where scale.has(tick.value) {
            let y = scale(tick.value)
            add("<path class=\"grid\" d=\"M\(left) \(y)H\(right)\"/>")
            add("<text class=\"tick\" x=\"\(left - 7)\" y=\"\(y + 4)\" text-anchor=\"end\">\(tick.words)</text>")
        }
        add("<text class=\"axis-title\" x=\"4\" y=\"14\">\(title)</text>")
    }

    /// A vertical line from top to bottom with words beside it, at `y`.
    mutating func addVerticalReference(_ x: Double, _ words: String, y: Double) {
        add("<path class=\"reference\" d=\"M\(x) \(min(top, y - 10))V\(bottom)\"/>")
        let isLeft = x > (left + right) / 2
        add(
            """
            <text class="reference-words" x="\(isLeft ? x - 5 : x + 5)" y="\(y)" \
            text-anchor="\(isLeft ? "end" : "start")">\(words)</text>
            """)
    }

    /// The drawing; `id` is unique on the page, `title` and `description` are for those who do not see it.
    func svg(id: String, title: String, description: String) -> Markup {
        """
        <svg class="\(size.rawValue)" viewBox="0 0 \(size.width) \(height)" role="img" \
        aria-labelledby="\(id)-\(size.rawValue)-title \(id)-\(size.rawValue)-desc">
        <title id="\(id)-\(size.rawValue)-title">\(title)</title>
        <desc id="\(id)-\(size.rawValue)-desc">\(description)</desc>
        \(marks)
        </svg>
        """
    }
}
