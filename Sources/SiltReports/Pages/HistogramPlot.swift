internal import SiltReading

/// Magnitudes of two deltas in one drawing: the fine-tuned as filled bars, the rebuilt as an outline.
struct HistogramPlot {
    let id: String
    let title: String
    let fineTuned: DeltaHistogram?
    let rebuilt: DeltaHistogram
    /// Whether it is one of many.
    var isSmall = false

    /// Bins of fewer than this share of the elements are not drawn.
    static let least = 0.0005

    private var shown: Range<Int> {
        let exponents = [fineTuned, rebuilt].compactMap { $0 }.flatMap { histogram in
            histogram.exponents.filter { HistogramPlot.share(histogram, $0) >= HistogramPlot.least }
        }
        guard let first = exponents.min(), let last = exponents.max() else { return 0..<0 }
        return first..<last + 1
    }

    /// The share of the elements that are not 0.
    static func share(_ histogram: DeltaHistogram, _ exponent: Int) -> Double {
        histogram.nonZeros > 0 ? Double(histogram[exponent]) / Double(histogram.nonZeros) : 0
    }

    /// The magnitude that half of the elements that are not 0 are below, within a factor of two; nil without any.
    static func median(_ histogram: DeltaHistogram) -> Int? {
        guard histogram.nonZeros > 0 else { return nil }
        var below = 0
        for exponent in histogram.exponents {
            below += histogram[exponent]
            if 2 * below >= histogram.nonZeros { return exponent }
        }
        return nil
    }

    /// The drawing.
    func draw(_ size: Plot.Size) -> Markup {
        var plot = Plot(size, height: isSmall ? 190 : size == .wide ? 320 : 260, left: 50)
        let range = shown
        guard !range.isEmpty else { return "" }
        let histograms = [fineTuned, rebuilt].compactMap { $0 }
        let shares = histograms.flatMap { histogram in range.map { HistogramPlot.share(histogram, $0) } }
        let y = Scale.linear(shares, from: plot.bottom, to: plot.top, fromZero: true)
        let width = (plot.right - plot.left) / Double(range.count)
        func x(_ exponent: Int) -> Double { plot.left + Double(exponent - range.lowerBound) * width }
        plot.addVerticalAxis(
            y.ticks(4) { "\(Figures.plain(100 * $0)) %" }, y, title: "share of the elements that are not 0")
        if let fineTuned {
            for exponent in range where fineTuned[exponent] > 0 {
                let height = plot.bottom - y(HistogramPlot.share(fineTuned, exponent))
                plot.add(
                    """
                    <rect class="fill c0" x="\(x(exponent) + 1)" y="\(plot.bottom - height)" width="\(max(0.5, width - 2))" \
                    height="\(height)"/>
                    """)
            }
        }
        let steps = range.map { exponent -> Markup in
            "V\(y(HistogramPlot.share(rebuilt, exponent)))H\(x(exponent + 1))"
        }
        plot.add("<path class=\"outline c1\" d=\"M\(plot.left) \(plot.bottom)\(steps)V\(plot.bottom)\"/>")
        plot.add("<path class=\"axis\" d=\"M\(plot.left) \(plot.bottom)H\(plot.right)\"/>")
        let every = max(1, Int((46 / width).rounded(.up)))
        for exponent in range.lowerBound...range.upperBound where exponent % every == 0 {
            plot.add(
                """
                <text class="tick" x="\(x(exponent))" y="\(plot.bottom + 16)" text-anchor="middle">\
                \(HistogramPlot.power(exponent))</text>
                """)
        }
        plot.add(
            """
            <text class="axis-title" x="\((plot.left + plot.right) / 2)" y="\(plot.bottom + 36)" text-anchor="middle">\
            |delta|, a bar for each power of two</text>
            """)
        return plot.svg(id: id, title: title, description: description)
    }

    private var description: String {
        let words = [("fine-tuned", fineTuned), ("rebuilt", rebuilt)].compactMap { name, histogram -> String? in
            guard let histogram, let median = HistogramPlot.median(histogram) else { return nil }
            return
                "\(name): \(Figures.grouped(histogram.nonZeros)) of \(Figures.grouped(histogram.elements)) elements are "
                + "not 0, with a median magnitude from 2 to the power of \(median) on"
        }
        return words.joined(separator: "; ")
    }

    /// `2⁻¹⁰`.
    static func power(_ exponent: Int) -> String {
        let raised: [Character: Character] = [
            "-": "⁻", "0": "⁰", "1": "¹", "2": "²", "3": "³", "4": "⁴", "5": "⁵", "6": "⁶", "7": "⁷", "8": "⁸",
            "9": "⁹",
        ]
        return "2" + String(String(exponent).map { raised[$0] ?? $0 })
    }
}
