internal import SiltReading
package import DeltaCodecs
internal import DeltaKernels
internal import DeltaPruning
package import SiltFormat
package import TensorTypes

/// Makes the components of a tensor from its delta, by the method of the options.
package struct ComponentBuilder: Sendable {
    /// From this share of rows on that are all zero, rows get a mask of their own: embeddings whose tokens training never
    /// saw.
    private static let stillRows = 0.05

    package let options: LossyOptions
    package let context: DeltaContext
    /// What calibration found; nil without.
    package let tuning: LossyTuning?

    package init(
        options: LossyOptions, context: DeltaContext, tuning: LossyTuning?
    ) {
        self.options = options
        self.context = context
        self.tuning = tuning
    }

    /// What becomes of a tensor: its components and their chunks; none if the base stands for it.
    ///
    /// - Parameter workspace: buffers to use again.
    package func code(
        _ delta: TensorDelta, _ name: String, _ fate: TensorPolicy.Fate, _ workspace: MatrixWorkspace
    ) throws(SiltError) -> (components: [ComponentRecord], chunks: ComponentChunks) {
        var components: [ComponentRecord] = []
        var chunks = ComponentChunks()
        switch fate {
        case .exact, .dropped: break
        case .vector(let values): components = try dense(delta, name, values, &chunks, workspace)
        case .integers: components = try integers(delta, name, &chunks)
        case .method: components = try self.components(delta, name, &chunks, workspace)
        }
        // Nothing but empty chunks.
        guard !chunks.chunks.allSatisfy(\.isEmpty) else { return ([], ComponentChunks()) }
        return (components, chunks)
    }

    /// Every element as a value.
    package func dense(
        _ delta: TensorDelta, _ name: String, _ values: LossyOptions.Values, _ chunks: inout ComponentChunks,
        _ workspace: MatrixWorkspace
    ) throws(SiltError) -> [ComponentRecord] {
        [.sparse(chunks.append(try encoded(delta, request(delta, name, values), workspace)))]
    }

    private func encoded(
        _ delta: TensorDelta, _ request: MatrixRequest, _ workspace: MatrixWorkspace
    ) throws(SiltError) -> EncodedMatrix {
        try unsafe MatrixEncoder.encode(request, workspace: workspace) { (rows) throws(SiltError) in
            try unsafe delta.band(rows)
        }
    }

    /// Every element as an integer, of a step that costs as much per bit as those of the transform coder.
    private func integers(
        _ delta: TensorDelta, _ name: String, _ chunks: inout ComponentChunks
    ) throws(SiltError) -> [ComponentRecord] {
        let weight = options.curvature ? tuning?.curvature?.weight(of: name) : nil
        let coder = VectorCoder(
            quality: context.step(options.quality), weight: weight ?? 1, deadZone: options.deadZone)
        let start = try unsafe delta.values()
        let values = unsafe Span(_unsafeStart: UnsafePointer(start), count: delta.count)
        guard let codes = coder.code(values) else { return [] }
        let request = MatrixRequest(
            rows: delta.rows, columns: delta.columns, identity: Checksum64.of(Array(name.utf8)), values: .int,
            scale: .fixed(coder.step))
        let encoded = unsafe codes.withUnsafeBufferPointer { buffer in
            unsafe buffer.baseAddress.map { unsafe MatrixEncoder.encode(codes: $0, request) }
        }
        guard let encoded else { throw SiltError.fault("a vector has no elements", tensor: name) }
        return [.sparse(chunks.append(encoded))]
    }

    /// The components of the method.
    package func components(
        _ delta: TensorDelta, _ name: String, _ chunks: inout ComponentChunks, _ workspace: MatrixWorkspace
    ) throws(SiltError) -> [ComponentRecord] {
        guard !options.method.isSparse else { return [try sparse(delta, name, options.method, &chunks, workspace)] }
        let product = try FactorBuilder(options, context, tuning?.curvature).product(delta, name, &chunks)
        guard let residual = options.residual else { return product.map { [.lowRank($0)] } ?? [] }
        // The caller's delta stays as it is.
        let rest = product == nil ? delta : try delta.copy()
        if let product { try rest.subtract(product, name, MemoryChunks(chunks: chunks.chunks)) }
        return (product.map { [.lowRank($0)] } ?? []) + [try sparse(rest, name, residual, &chunks, workspace)]
    }

    private func request(_ delta: TensorDelta, _ name: String, _ values: LossyOptions.Values) -> MatrixRequest {
        let scale: MatrixRequest.ScaleRule
        if options.group > 0 {
            scale = .groups(options.group)
        } else {
            // BitDelta's scale is a row's mean; a vector is one row.
            scale = values == .sign && delta.columns > 1 ? .rows : .automatic
        }
        return MatrixRequest(
            rows: delta.rows, columns: delta.columns, identity: Checksum64.of(Array(name.utf8)),
            values: ValueType(rawValue: values.rawValue) ?? .f32, scale: scale)
    }

    /// Values at the positions that the method chooses.
    private func sparse(
        _ delta: TensorDelta, _ name: String, _ method: LossyOptions.Method, _ chunks: inout ComponentChunks,
        _ workspace: MatrixWorkspace
    ) throws(SiltError) -> ComponentRecord {
        var request = request(delta, name, options.values(of: method))
        request.masks = try masks(delta, name, method)
        // Masks of rows that did not move drop nothing.
        let factor = options.factor(of: name, rows: delta.rows)
        request.q = request.masks.isEmpty && options.isPruning ? nil : factor
        request.bitWidth = method == .nm && options.m <= 8 ? options.m : 8
        switch options.mask {
        case .auto, .seeded: request.maskCodec = method == .nm && options.m <= 8 ? .bits : .auto
        case .bitmask: request.maskCodec = .bits
        case .gaps: request.maskCodec = .gaps
        }
        return .sparse(chunks.append(try encoded(delta, request, workspace)))
    }

    private func masks(
        _ delta: TensorDelta, _ name: String, _ method: LossyOptions.Method
    ) throws(SiltError) -> [MaskRequest] {
        switch method {
        case .random: try withoutStillRows(random(.elements, delta, name), delta)
        case .sign, .dense: try withoutStillRows([], delta)
        case .columns where options.choice == .random: random(.columns, delta, name)
        case .rows where options.choice == .random: random(.rows, delta, name)
        // Those leave still rows out by themselves.
        case .magnitude, .wanda, .columns, .rows, .nm: try important(delta, name, method)
        case .lowrank, .transform: []
        }
    }

    /// Leaves out the rows that did not move as well, where they are many.
    private func withoutStillRows(
        _ masks: [MaskRequest], _ delta: TensorDelta
    ) throws(SiltError) -> [MaskRequest] {
        guard delta.columns > 1 else { return masks }
        let moved = try delta.nonzeroRows()
        guard Double(moved.population) <= (1 - ComponentBuilder.stillRows) * Double(delta.rows) else { return masks }
        return [MaskRequest(over: .rows, source: .positions(moved))] + masks
    }

    /// A mask by importance, for which all of the delta is in memory.
    private func important(
        _ delta: TensorDelta, _ name: String, _ method: LossyOptions.Method
    ) throws(SiltError) -> [MaskRequest] {
        guard options.drop > 0 || method == .nm else { return [] }
        let start = try unsafe delta.values()
        let values = unsafe Span(_unsafeStart: UnsafePointer(start), count: delta.count)
        let keep = 1 - options.drop
        let kept: Bitset
        switch method {
        case .columns:
            let kept = Structure.columns(share: keep, values, columns: delta.columns)
            return [MaskRequest(over: .columns, source: .positions(kept))]
        case .rows:
            let kept = Structure.rows(share: keep, values, columns: delta.columns)
            return [MaskRequest(over: .rows, source: .positions(kept))]
        case .nm: kept = Structure.largest(options.n, ofEach: options.m, values, columns: delta.columns)
        case .wanda:
            // What is no linear layer's weight has no inputs to weigh it by.
            kept =
                tuning?.norms[name]?.mask(values, keep, columns: delta.columns)
                ?? Magnitude.top(share: keep, ofEachRow: values, columns: delta.columns)
        default:
            switch options.scope {
            case .tensor: kept = Magnitude.top(Magnitude.quota(keep, of: delta.count), of: values)
            case .row: kept = Magnitude.top(share: keep, ofEachRow: values, columns: delta.columns)
            case .global: kept = try context.largest(values, of: name)
            }
        }
        return [MaskRequest(over: .elements, source: .positions(kept))]
    }

    /// A seeded mask; stored as positions if the options say so.
    private func random(_ over: MaskCoding.Over, _ delta: TensorDelta, _ name: String) -> [MaskRequest] {
        let threshold = options.threshold
        guard threshold > 0 else { return [] }
        let seed = UInt64(options.seed)
        guard options.mask == .bitmask || options.mask == .gaps else {
            return [MaskRequest(over: over, source: .seeded(seed: seed, threshold: threshold))]
        }
        let count = over == .elements ? delta.count : over == .rows ? delta.rows : delta.columns
        let kept = Philox.mask(
            seed: seed, identity: Checksum64.of(Array(name.utf8)), count: count, threshold: threshold)
        return [MaskRequest(over: over, source: .positions(kept))]
    }
}
