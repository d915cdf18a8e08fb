/// Many numbers in few rows: a dot for each tensor, a row for each group.
struct StripPlot {
    /// A number, or a range around one.
    struct Dot {
        let name: String
        let value: Double
        var least: Double?
        var largest: Double?
    }

    /// Above so many dots they have no titles of their own: pages would grow without use.
    private static let titleLimit = 400

    let id: String
    let title: String
    let axis: String
    let rows: [(name: String, dots: [Dot])]
    /// A value to compare with, and what it is.
    let reference: (value: Double, words: String)?

    /// Logarithmic where values are of several magnitudes.
    private func scale(_ plot: Plot) -> Scale {
        let dots = rows.flatMap(\.dots)
        let values =
            dots.flatMap { [$0.value, $0.least ?? $0.value, $0.largest ?? $0.value] }.filter(\.isFinite)
            + [reference?.value].compactMap { $0 }
        if let least = values.min(), let largest = values.max(), least > 0, largest > 30 * least {
            return .logarithmic(values, from: plot.left, to: plot.right)
        }
        // Dots need no 0, and those that lie close together would be one.
        let isFromZero = (values.min() ?? 0) < 0.5 * (values.max() ?? 0)
        return .linear(values, from: plot.left, to: plot.right, fromZero: isFromZero)
    }

    /// The drawing.
    func draw(_ size: Plot.Size) -> Markup {
        let isWide = size == .wide
        let pitch = isWide ? 26.0 : 40.0
        var plot = Plot(
            size, height: Double(rows.count) * pitch + 78, left: isWide ? 250 : 10, right: 24, top: 24, bottom: 46)
        let scale = scale(plot)
        plot.addHorizontalAxis(scale.ticks(isWide ? 8 : 4), scale, title: axis)
        if let reference, scale.has(reference.value) {
            plot.addVerticalReference(scale(reference.value), reference.words, y: plot.top - 8)
        }
        let hasTitles = isWide && rows.reduce(0) { $0 + $1.dots.count } <= StripPlot.titleLimit
        for (index, row) in rows.enumerated() {
            let y = plot.top + 8 + (Double(index) + (isWide ? 0.5 : 0.72)) * pitch
            let words = Escape.shortened(Escape.printable(row.name), to: isWide ? 34 : 44)
            if isWide {
                plot.add(
                    "<text class=\"row\" x=\"\(plot.left - 10)\" y=\"\(y + 4)\" text-anchor=\"end\">\(words)</text>")
            } else {
                plot.add("<text class=\"row\" x=\"\(plot.left)\" y=\"\(y - 13)\">\(words)</text>")
            }
            let bands = row.dots.compactMap { dot -> Markup? in
                guard let least = dot.least, let largest = dot.largest, largest > least else { return nil }
                return "M\(scale(least)) \(y)H\(scale(largest))"
            }
            if !bands.isEmpty { plot.add("<path class=\"band c0\" d=\"\(bands)\"/>") }
            let dots = row.dots.filter(\.value.isFinite)
            if hasTitles {
                for dot in dots {
                    plot.add(
                        """
                        <path class="dots c0" d="M\(scale(dot.value)) \(y)h0"><title>\(dot.name): \
                        \(Figures.short(dot.value))</title></path>
                        """)
                }
            } else {
                plot.add(
                    "<path class=\"dots c0\" d=\"\(dots.map { dot -> Markup in "M\(scale(dot.value)) \(y)h0" })\"/>")
            }
        }
        return plot.svg(id: id, title: title, description: description)
    }

    private var description: String {
        rows.map { row in
            let values = row.dots.map(\.value).filter(\.isFinite)
            guard let least = values.min(), let largest = values.max() else { return "\(row.name): nothing" }
            return
                "\(row.name): \(Figures.counted(values.count, "tensor")), \(Figures.short(least)) to \(Figures.short(largest))"
        }.joined(separator: "; ")
    }
}
