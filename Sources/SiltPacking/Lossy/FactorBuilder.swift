internal import DeltaCodecs
internal import DeltaPruning
internal import SiltFormat
internal import TensorTypes

/// Makes low-rank components: truncated decompositions, and the transform coder's.
struct FactorBuilder {
    private let options: LossyOptions
    private let context: DeltaContext
    /// What errors cost; nil: their squares.
    private let curvature: CurvatureStatistics?

    init(_ options: LossyOptions, _ context: DeltaContext, _ curvature: CurvatureStatistics?) {
        self.options = options
        self.context = context
        self.curvature = options.curvature ? curvature : nil
    }

    /// The product that stands for the delta, or for most of it; nil if no direction is worth its bytes, or the matrix has
    /// more rows than the format has columns for (Formats/Silt.md, section 12.2).
    func product(
        _ delta: TensorDelta, _ name: String, _ chunks: inout ComponentChunks
    ) throws(SiltError) -> LowRankRecord? {
        guard delta.rows <= Grid.limit else { return nil }
        let limit = min(delta.rows, delta.columns)
        if options.method == .lowrank, let rank = options.rank, rank > limit {
            throw SiltError(
                .usage, "the rank \(rank) is larger than the matrix, which has \(delta.rows) x \(delta.columns)",
                tensor: name, advice: "give a rank of at most \(limit), or leave the tensor out with \(option: .except)"
            )
        }
        if options.method == .transform { return try transform(delta, name, &chunks) }
        let start = try unsafe delta.values()
        let values = unsafe Span(_unsafeStart: UnsafePointer(start), count: delta.count)
        let decomposition: Decomposition
        do throws(DecompositionError) {
            decomposition = try context.decompositions.decomposition(
                of: name, values, rows: delta.rows, columns: delta.columns, rank: options.rank)
        } catch {
            throw FactorBuilder.failure(error, name)
        }
        let rank = options.rank ?? LowRank.rank(keeping: options.energy, of: decomposition)
        return rank == 0 ? nil : try lowRank(LowRank(decomposition, rank: rank), delta, name, &chunks)
    }

    private func transform(
        _ delta: TensorDelta, _ name: String, _ chunks: inout ComponentChunks
    ) throws(SiltError) -> LowRankRecord? {
        var coder = TransformCoder(quality: context.step(options.quality))
        coder.deadZone = options.deadZone
        let start = try unsafe delta.values()
        let values = unsafe Span(_unsafeStart: UnsafePointer(start), count: delta.count)
        let curvature = curvature?.curvature(of: name, rows: delta.rows, columns: delta.columns)
        var code: TransformCode
        do throws(DecompositionError) {
            let decomposition = try context.decompositions.decomposition(
                of: name, values, rows: delta.rows, columns: delta.columns,
                reaching: coder.leastSigma(rows: delta.rows, columns: delta.columns), curvature)
            code = coder.code(values, decomposition, curvature)
        } catch {
            throw FactorBuilder.failure(error, name)
        }
        if let factors = options.componentFactors(of: name) {
            guard factors.count == code.rank else {
                throw SiltError(
                    .usage, "there are \(factors.count) rescale factors for \(code.rank) components", tensor: name,
                    advice: "give the factors found at this quality")
            }
            code = code.divided(by: factors)
        }
        return code.rank == 0 ? nil : try FactorBuilder.record(code, name, &chunks)
    }

    private static func failure(_ error: DecompositionError, _ name: String) -> SiltError {
        SiltError(
            .usage, "the singular value decomposition failed: \(error)", tensor: name,
            advice: "leave the tensor out with \(option: .except), or choose another method")
    }

    private func lowRank(
        _ factors: LowRank, _ delta: TensorDelta, _ name: String, _ chunks: inout ComponentChunks
    ) throws(SiltError) -> LowRankRecord {
        func factor(_ values: [Float], columns: Int, _ side: String) throws(SiltError) -> MatrixRecord {
            let request = MatrixRequest(
                rows: factors.rank, columns: columns, identity: Checksum64.of(Array("\(name):\(side)".utf8)),
                values: ValueType(rawValue: options.values(of: options.method).rawValue) ?? .f32,
                scale: options.group > 0 ? .groups(options.group) : .rows)
            let encoded = unsafe values.withUnsafeBufferPointer { buffer in
                unsafe buffer.baseAddress.map { unsafe MatrixEncoder.encode($0, request) }
            }
            guard let encoded else { throw SiltError.fault("a factor has no elements", tensor: name) }
            return chunks.append(encoded)
        }
        let left = try factor(factors.left, columns: delta.rows, "left")
        let right = try factor(factors.right, columns: delta.columns, "right")
        return LowRankRecord(rank: factors.rank, left: left, right: right, scale: nil)
    }

    /// The product that a transform code stands for.
    static func record(
        _ code: TransformCode, _ name: String, _ chunks: inout ComponentChunks
    ) throws(SiltError) -> LowRankRecord {
        func factor(
            _ codes: [Int32], columns: Int, _ side: String, _ scale: MatrixRequest.ScaleRule
        ) throws(SiltError) -> MatrixRecord {
            let request = MatrixRequest(
                rows: code.rank, columns: columns, identity: Checksum64.of(Array("\(name):\(side)".utf8)),
                values: .int, scale: scale)
            let encoded = unsafe codes.withUnsafeBufferPointer { buffer in
                unsafe buffer.baseAddress.map { unsafe MatrixEncoder.encode(codes: $0, request) }
            }
            guard let encoded else { throw SiltError.fault("a factor has no elements", tensor: name) }
            return chunks.append(encoded)
        }
        let left = try factor(code.left, columns: code.rows, "left", .fixed(1))
        let right = try factor(code.right, columns: code.columns, "right", .givenRows(code.scales))
        return LowRankRecord(rank: code.rank, left: left, right: right, scale: nil)
    }
}
