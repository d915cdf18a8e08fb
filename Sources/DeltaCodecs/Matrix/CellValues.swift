internal import CSiltKernels
internal import TensorTypes

/// The values of all cells in the form that is coded: patterns, folded codes or integers, and their scales.
struct CellValues {
    /// What the manifest says of the scale.
    private(set) var scale: ValueCoding.Scale = .none
    /// Rotated patterns, or folded codes, of each cell; empty for type `int`.
    private(set) var bytes: [[UInt8]] = []
    /// The codes of each cell for type `int`, else empty.
    private(set) var integers: [[Int32]] = []
    /// The BF16 patterns of each cell's scales; empty if it has none.
    private(set) var scales: [[UInt16]] = []
    /// Whether a cell is 0 throughout, +0 for floats.
    private(set) var isZero: [Bool] = []

    /// Takes floats as they are, rounded to the type.
    init<Failure>(
        floats matrix: (Range<Int>) throws(Failure) -> UnsafePointer<Float>, _ kept: KeptElements, type: ValueType,
        _ workspace: MatrixWorkspace
    ) throws(Failure) {
        let width = type.elementBytes
        for (cell, count) in kept.counts.enumerated() {
            let values = unsafe workspace.values.room(Float.self, count)
            try unsafe kept.gather(cell, from: matrix(kept.grid.rows(of: cell)), into: values, workspace.level)
            let patterns = unsafe [UInt8](unsafeUninitializedCapacity: width * count) { buffer, size in
                guard let start = buffer.baseAddress else { return }
                unsafe silt_convert(Int32(SILT_F32), type.kernelType, values, start, count)
                unsafe silt_rotate_left(UInt32(width), start, count)
                size = width * count
            }
            isZero.append(unsafe silt_largest_byte(patterns, patterns.count) == 0)
            bytes.append(patterns)
            scales.append([])
        }
    }

    /// Rounds floats to codes.
    init<Failure>(
        quantising matrix: (Range<Int>) throws(Failure) -> UnsafePointer<Float>, _ kept: KeptElements,
        _ request: MatrixRequest, _ workspace: MatrixWorkspace
    ) throws(Failure) {
        let values = unsafe workspace.allValues.room(Float.self, kept.total)
        for cell in kept.counts.indices {
            try unsafe kept.gather(
                cell, from: matrix(kept.grid.rows(of: cell)), into: values + kept.offsets[cell], workspace.level)
        }
        let type = request.values
        scale = ValueCoding.Scale(request.scale) {
            unsafe ScaleSearch.step(values, count: kept.total, type: type, rule: request.scale)
        }
        for (cell, count) in kept.counts.enumerated() {
            let start = unsafe values + kept.offsets[cell]
            let codes = unsafe workspace.integers.room(Int32.self, count)
            let runs = runs(kept, cell)
            let given = CellValues.given(request.scale, rows: kept.grid.rows(of: cell))
            var patterns: [UInt16] = []
            var at = 0
            for (index, run) in runs.enumerated() {
                var step: Float = 0
                if case .step(let all) = scale {
                    step = all
                } else {
                    let pattern =
                        unsafe given?[index] ?? ScaleSearch.pattern(start + at, count: run, type: type)
                    patterns.append(pattern)
                    step = Float(bitPattern: UInt32(pattern) << 16)
                }
                if type == .sign {
                    unsafe silt_signs(start + at, run, codes + at)
                } else {
                    unsafe silt_quantise(start + at, run, step, type.largestCode, codes + at)
                }
                at += run
            }
            unsafe append(codes, count: count, scales: patterns, type: type)
        }
    }

    /// Takes codes as they are.
    init(
        codes matrix: UnsafePointer<Int32>, _ kept: KeptElements, _ request: MatrixRequest,
        _ workspace: MatrixWorkspace
    ) {
        scale = ValueCoding.Scale(request.scale) { preconditionFailure("codes come with their scale") }
        for (cell, count) in kept.counts.enumerated() {
            let codes = unsafe workspace.integers.room(Int32.self, count)
            let source = unsafe matrix + kept.grid.rows(of: cell).lowerBound * kept.grid.columns
            unsafe kept.gather(cell, from: source, into: codes, workspace.level)
            precondition(
                unsafe silt_largest_integer(codes, count) <= UInt32(request.values.largestCode), "codes fit their type")
            let scales = CellValues.given(request.scale, rows: kept.grid.rows(of: cell)) ?? []
            unsafe append(codes, count: count, scales: scales, type: request.values)
        }
    }

    private mutating func append(
        _ codes: UnsafePointer<Int32>, count: Int, scales patterns: [UInt16], type: ValueType
    ) {
        scales.append(patterns)
        if type == .int {
            integers.append(unsafe Array(UnsafeBufferPointer(start: codes, count: count)))
            bytes.append([])
            isZero.append(unsafe silt_largest_integer(codes, count) == 0)
            return
        }
        let folded = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, size in
            guard let start = buffer.baseAddress else { return }
            unsafe silt_fold(codes, count, start)
            // 2 and 1 become 0 and 1.
            if type == .sign {
                for index in 0..<count { unsafe start[index] &= 1 }
            }
            size = count
        }
        bytes.append(folded)
        let largest = unsafe silt_largest_byte(folded, count)
        isZero.append(count == 0 || (type != .sign && largest == 0))
    }

    /// How many values each scale of a cell is for.
    private func runs(_ kept: KeptElements, _ cell: Int) -> [Int] {
        guard kept.counts[cell] > 0 else { return [] }
        return switch scale {
        case .none, .step: [kept.counts[cell]]
        case .rows: kept.rowRuns(cell)
        case .groups(let size): MatrixDecoder.groups(of: size, in: kept.counts[cell])
        }
    }

    /// The patterns of scales that the request gives.
    private static func given(_ rule: MatrixRequest.ScaleRule, rows: Range<Int>) -> [UInt16]? {
        guard case .givenRows(let scales) = rule else { return nil }
        return scales[rows].map { scale in
            let bits = scale.bitPattern
            precondition(bits & 0xFFFF == 0 && bits < 0x7F80_0000, "scales of rows are of BF16")
            return UInt16(bits >> 16)
        }
    }
}

extension ValueCoding.Scale {
    /// What the manifest says where the writer follows `rule`; `step` is asked where there is one.
    fileprivate init(_ rule: MatrixRequest.ScaleRule, step: () -> Float) {
        switch rule {
        case .automatic, .maximum: self = .step(step())
        case .rows, .givenRows: self = .rows
        case .groups(let size): self = .groups(size)
        case .fixed(let step): self = .step(step)
        }
    }
}
