/// What stands for a series in plots and legends: a shape and a colour, so that neither is needed alone.
struct Marker: Sendable, Hashable {
    /// Closed shapes, which can be full or hollow.
    static let shapes = 8
    /// Colours of the style sheet, `c0` to `c5`.
    static let colours = 6

    /// Which series, from 0; 24 look different.
    let index: Int

    /// The class with the colour.
    var colour: String { "c\(index % Marker.colours)" }

    /// The shape around a point; hollow ones show the ground.
    func mark(_ x: Double, _ y: Double, radius: Double = 5, isFull: Bool = true, title: String? = nil) -> Markup {
        let words: Markup = title.map { "<title>\($0)</title>" } ?? ""
        return
            "<path class=\"mark \(colour) \(isFull ? "full" : "hollow")\" d=\"\(outline(x, y, radius))\">\(words)</path>"
    }

    private func outline(_ x: Double, _ y: Double, _ r: Double) -> Markup {
        switch index % Marker.shapes {
        case 0: "M\(x - r) \(y)a\(r) \(r) 0 1 0 \(2 * r) 0a\(r) \(r) 0 1 0 \(-2 * r) 0z"
        case 1: Marker.polygon(x, y, [(-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)], r)
        case 2: Marker.polygon(x, y, [(0, -1.15), (1.1, 0.8), (-1.1, 0.8)], r)
        case 3: Marker.polygon(x, y, [(0, -1.3), (1.1, 0), (0, 1.3), (-1.1, 0)], r)
        case 4: Marker.polygon(x, y, [(0, 1.15), (1.1, -0.8), (-1.1, -0.8)], r)
        case 5: Marker.polygon(x, y, [(0.55, -1), (1.15, 0), (0.55, 1), (-0.55, 1), (-1.15, 0), (-0.55, -1)], r)
        case 6:
            Marker.polygon(
                x, y,
                [
                    (0, -1.4), (0.4, -0.4), (1.4, 0), (0.4, 0.4), (0, 1.4), (-0.4, 0.4), (-1.4, 0), (-0.4, -0.4),
                ], r)
        default:
            Marker.polygon(
                x, y,
                [
                    (-0.4, -1.2), (0.4, -1.2), (0.4, -0.4), (1.2, -0.4), (1.2, 0.4), (0.4, 0.4), (0.4, 1.2),
                    (-0.4, 1.2),
                    (-0.4, 0.4), (-1.2, 0.4), (-1.2, -0.4), (-0.4, -0.4),
                ], r)
        }
    }

    private static func polygon(_ x: Double, _ y: Double, _ corners: [(Double, Double)], _ r: Double) -> Markup {
        let points = corners.enumerated().map { index, corner -> Markup in
            "\(index == 0 ? "M" : "L")\(x + r * corner.0) \(y + r * corner.1)"
        }
        return "\(points)z"
    }

    /// The marker by itself, in a line of text.
    var inLine: Markup {
        "<svg class=\"key\" viewBox=\"0 0 16 16\" aria-hidden=\"true\">\(mark(8, 8))</svg>"
    }
}
