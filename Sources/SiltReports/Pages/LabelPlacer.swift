/// Finds places for words beside points, where they cover neither other words nor points.
struct LabelPlacer {
    /// A rectangle.
    private struct Box {
        let left: Double, right: Double, top: Double, bottom: Double

        func meets(_ other: Box) -> Bool {
            left < other.right && other.left < right && top < other.bottom && other.top < bottom
        }
    }

    private let bounds: Box
    private var taken: [Box] = []

    /// Places inside the axes of `plot`.
    init(_ plot: Plot) {
        bounds = Box(left: plot.left, right: plot.right, top: plot.top - 4, bottom: plot.bottom)
    }

    /// Keeps a point free.
    mutating func reserve(_ x: Double, _ y: Double, radius: Double = 6) {
        taken.append(Box(left: x - radius, right: x + radius, top: y - radius, bottom: y + radius))
    }

    /// Keeps a line of words free; `y` is its base line.
    mutating func reserve(words: String, left: Double, y: Double) {
        taken.append(Box(left: left, right: left + LabelPlacer.width(words), top: y - 11, bottom: y + 4))
    }

    /// About how wide `words` are at 12 pixels.
    static func width(_ words: String) -> Double { 6.9 * Double(words.count) }

    /// Where `words` fit beside the point, as the start of their base line; nil if nowhere.
    mutating func place(_ words: String, _ x: Double, _ y: Double) -> (x: Double, y: Double)? {
        let width = LabelPlacer.width(words)
        let places = [
            (x + 10, y + 4), (x - 10 - width, y + 4), (x - width / 2, y - 11), (x - width / 2, y + 20), (x + 8, y - 9),
            (x - 8 - width, y - 9), (x + 8, y + 17), (x - 8 - width, y + 17), (x - width / 2, y - 24),
        ]
        for (left, line) in places {
            let box = Box(left: left, right: left + width, top: line - 11, bottom: line + 4)
            let isInside =
                box.left >= bounds.left && box.right <= bounds.right && box.top >= bounds.top
                && box.bottom <= bounds.bottom
            guard isInside, !taken.contains(where: { $0.meets(box) }) else { continue }
            taken.append(box)
            return (left, line)
        }
        return nil
    }
}
