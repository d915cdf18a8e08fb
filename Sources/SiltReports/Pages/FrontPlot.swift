internal import SiltTuning

/// Bytes against something that is measured: a marker for each row of a sweep, and the front as steps.
struct FrontPlot {
    /// A row in the plot.
    struct Point {
        let method: Int
        let label: String
        let bytes: SweepReport.Spread, value: SweepReport.Spread
        let isOnFront: Bool
    }

    let id: String
    let title: String
    let axis: String
    /// Whether the vertical axis is logarithmic.
    let isLogarithmic: Bool
    let methods: [String]
    let points: [Point]
    /// Levels to compare with, across the plot.
    let levels: [(value: Double, words: String)]
    /// A size to compare with.
    let size: (bytes: Double, words: String)?

    private func vertical(_ plot: Plot) -> Scale {
        let values = points.flatMap { [$0.value.least, $0.value.mean, $0.value.largest] } + levels.map(\.value)
        return isLogarithmic
            ? .logarithmic(values, from: plot.bottom, to: plot.top) : .linear(values, from: plot.bottom, to: plot.top)
    }

    /// The drawing.
    func draw(_ size: Plot.Size) -> Markup {
        let isWide = size == .wide
        var plot = Plot(size, height: isWide ? 430 : 340, left: isWide ? 58 : 48, right: isWide ? 20 : 12)
        let bytes = points.flatMap { [$0.bytes.least, $0.bytes.largest] } + [self.size?.bytes].compactMap { $0 }
        let x = Scale.logarithmic(bytes, from: plot.left, to: plot.right)
        let y = vertical(plot)
        plot.addHorizontalAxis(
            x.ticks(isWide ? 9 : 4) { Figures.shortBytes($0) }, x, title: "size of the Silt file, everything counted")
        plot.addVerticalAxis(y.ticks(isWide ? 7 : 5), y, title: axis)
        var placer = LabelPlacer(plot)
        if let size = self.size { plot.addVerticalReference(x(size.bytes), size.words, y: plot.top - 8) }
        for level in levels where y.has(level.value) {
            let line = y(level.value)
            plot.add("<path class=\"reference\" d=\"M\(plot.left) \(line)H\(plot.right)\"/>")
            plot.add("<text class=\"reference-words\" x=\"\(plot.left + 6)\" y=\"\(line - 5)\">\(level.words)</text>")
            placer.reserve(words: level.words, left: plot.left + 6, y: line - 5)
        }
        plot.add(steps(plot, x, y))
        let drawn = points.filter { !isLogarithmic || $0.value.mean > 0 }
        for point in drawn {
            placer.reserve(x(point.bytes.mean), y(point.value.mean))
            if let whisker = whisker(point, x, y) { plot.add(whisker) }
        }
        // Rows on the front last, on top of the others.
        for point in drawn.filter({ !$0.isOnFront }) + drawn.filter(\.isOnFront) {
            plot.add(
                Marker(index: point.method).mark(
                    x(point.bytes.mean), y(point.value.mean), radius: isWide ? 5 : 4.5, isFull: point.isOnFront,
                    title: point.label))
        }
        addLabels(drawn, x, y, &placer, &plot)
        return plot.svg(id: id, title: title, description: description)
    }

    /// From least to largest, in both directions.
    private func whisker(_ point: Point, _ x: Scale, _ y: Scale) -> Markup? {
        guard point.value.largest > point.value.least else { return nil }
        let (across, low, high) = (x(point.bytes.mean), y(point.value.least), y(point.value.largest))
        return """
            <path class="whisker c\(point.method % Marker.colours)" \
            d="M\(across) \(low)V\(high)M\(across - 3) \(low)h6M\(across - 3) \(high)h6"/>
            """
    }

    /// What can be had for how many bytes: the front, constant to the right of each of its points.
    private func steps(_ plot: Plot, _ x: Scale, _ y: Scale) -> Markup {
        let front = points.filter { $0.isOnFront && (!isLogarithmic || $0.value.mean > 0) }
            .sorted { $0.bytes.mean < $1.bytes.mean }
        guard let first = front.first else { return "" }
        let path = front.dropFirst().map { point -> Markup in "H\(x(point.bytes.mean))V\(y(point.value.mean))" }
        return """
            <path class="front" d="M\(x(first.bytes.mean)) \(y(first.value.mean))\(path)H\(plot.right)"/>
            """
    }

    /// The name of each method beside one of its points: one on the front if it has any.
    private func addLabels(
        _ drawn: [Point], _ x: Scale, _ y: Scale, _ placer: inout LabelPlacer, _ plot: inout Plot
    ) {
        for (index, method) in methods.enumerated() {
            let own = drawn.filter { $0.method == index }
            let candidates = own.filter(\.isOnFront) + own.filter { !$0.isOnFront }
            let words = Escape.shortened(Escape.printable(method), to: 24)
            for point in candidates {
                guard let place = placer.place(words, x(point.bytes.mean), y(point.value.mean)) else { continue }
                plot.add("<text class=\"label\" x=\"\(place.x)\" y=\"\(place.y)\">\(words)</text>")
                break
            }
        }
    }

    private var description: String {
        let front = points.filter(\.isOnFront).sorted { $0.bytes.mean < $1.bytes.mean }
        return "On the front: " + front.map(\.label).joined(separator: "; ")
    }
}
