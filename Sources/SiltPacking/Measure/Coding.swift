internal import DeltaCodecs
package import SiltFormat

/// How a segment is coded.
package enum Coding: Sendable {
    /// It equals the base.
    case copy
    /// The residual, with tables of its own or those of the group of small tensors.
    case exact(TablesChunk)
    /// Planes: `xor` or `whole`, with tables if the codec is rans.
    case planes(PartKind, Codec, TablesChunk?)

    /// The tables that its chunks need.
    var tables: TablesChunk? {
        switch self {
        case .exact(let tables): tables
        case .planes(_, _, let tables): tables
        case .copy: nil
        }
    }

    /// Whether it refers to the base.
    var usesBase: Bool {
        if case .planes(.whole, _, _) = self { false } else { true }
    }

    /// Whether the base stands for the segment.
    package var isCopy: Bool {
        if case .copy = self { true } else { false }
    }

    /// The part's kind.
    var kind: PartKind {
        switch self {
        case .copy: .copy
        case .exact: .exact
        case .planes(let kind, _, _): kind
        }
    }

    /// The part's codec.
    var codec: Codec? {
        switch self {
        case .copy: nil
        case .exact: .rans
        case .planes(_, let codec, _): codec
        }
    }
}

/// A chunk of tables: written once, before the first chunk that needs it.
///
/// It keeps the stored form only, since a model may have thousands; workers make encoders from it. Segments that share tables
/// share the object.
package final class TablesChunk: Sendable {
    private enum Source {
        case residual(width: Int, window: Int)
        case planes(elementBytes: Int)
    }

    let bytes: [UInt8]
    private let source: Source

    /// The tables of a residual.
    init(_ plan: ResidualPlan) {
        bytes = plan.tables.stored
        source = .residual(width: plan.tables.width, window: plan.window)
    }

    /// The tables of planes.
    init(_ tables: PlaneTables) {
        bytes = tables.stored
        source = .planes(elementBytes: tables.planes.count)
    }

    /// An encoder with these tables; nil if they cannot be read back.
    func encoder() -> PartEncoder? {
        switch source {
        case .residual(let width, let window):
            guard let tables = try? ResidualTables(stored: bytes, width: width) else { return nil }
            return .residual(ResidualEncoder(ResidualPlan(tables: tables, window: window)))
        case .planes(let elementBytes):
            guard let tables = try? PlaneTables(stored: bytes, elementBytes: elementBytes) else { return nil }
            return .planes(PlaneEncoder(tables))
        }
    }
}

/// An encoder with its tables.
enum PartEncoder {
    case residual(ResidualEncoder)
    case planes(PlaneEncoder)
}
