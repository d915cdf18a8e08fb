internal import CSiltKernels
internal import TensorTypes

/// Reads the values of a cell (Formats/Silt.md, section 12.4).
final class ValueDecoder: Sendable {
    private let coding: ValueCoding
    private let planes: PlaneDecoder?
    /// What each folded code is before scales of rows or groups.
    private let lookup: [Float]
    /// What all values are multiplied by at once.
    private let step: Float
    /// What all values are divided by: 1 if nothing is.
    private let divisor: Float

    /// `divisor` is q, if it is one number.
    init(_ coding: ValueCoding, divisor: Float?, tables: [UInt8]?) throws(TablesError) {
        self.coding = coding
        if coding.codec == .rans {
            guard let tables else { throw TablesError(reason: "is missing") }
            planes = PlaneDecoder(
                try PlaneTables(stored: tables, elementBytes: coding.type.elementBytes))
        } else {
            planes = nil
        }
        let step: Float = if case .step(let step) = coding.scale { step } else { 1 }
        self.step = step
        self.divisor = divisor ?? 1
        // With scales of rows or groups, the code is scaled before it is divided.
        let early: Float = coding.hasScales ? 1 : self.divisor
        let isSign = coding.type == .sign
        lookup = (0..<256).map { (folded: Int) -> Float in
            let magnitude = isSign ? 1 : (folded + 1) / 2
            let code = Float(folded & 1 == 0 ? magnitude : -magnitude)
            return code * step / early
        }
    }

    /// Reads `count` (at least 1) values from `bytes`.
    ///
    /// - Parameters:
    ///   - scales: the coded scales, where they are of rows or groups.
    ///   - runs: how many values each scale is for.
    func decode(
        _ bytes: UnsafeRawBufferPointer, count: Int, scales: UnsafeRawBufferPointer?, runs: [Int],
        into values: UnsafeMutablePointer<Float>, workspace: MatrixWorkspace
    ) throws(ChunkError) {
        if coding.type.isFloat {
            try unsafe floats(bytes, count: count, into: values, workspace)
        } else if coding.codec == .adaptive {
            let codes = unsafe workspace.integers.room(Int32.self, count)
            try unsafe AdaptiveStream.decode(bytes, count: count, isSigned: true, into: codes)
            guard unsafe silt_largest_integer(codes, count) <= UInt32(coding.type.largestCode) else {
                throw ChunkError(reason: "a code is not of type \(coding.type.rawValue)")
            }
            unsafe silt_integers_scale(codes, count, step, values)
        } else {
            try unsafe codes(bytes, count: count, into: values, workspace)
        }
        if let scales = unsafe scales {
            try unsafe multiply(values, runs: runs, by: scales, workspace)
        } else if !coding.type.isFloat && coding.codec != .adaptive {
            return  // The table has divided.
        }
        if divisor != 1 { unsafe silt_divide(values, count, divisor) }
    }

    private func codes(
        _ bytes: UnsafeRawBufferPointer, count: Int, into values: UnsafeMutablePointer<Float>,
        _ workspace: MatrixWorkspace
    ) throws(ChunkError) {
        let folded = unsafe workspace.symbols.room(UInt8.self, count)
        if let planes {
            try unsafe planes.decode(bytes, planes: folded, count: count, level: workspace.level)
        } else {
            let bits = coding.type.packedBits
            guard bytes.count == (count * bits + 7) / 8,
                let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            else { throw ChunkError(reason: "\(count) codes have \(bytes.count) bytes") }
            guard unsafe silt_unpack(UInt32(bits), start, count, folded) != 0 else {
                throw ChunkError(reason: "bits are left over after its last code")
            }
        }
        guard unsafe Int(silt_largest_byte(folded, count)) <= coding.type.largestFolded else {
            throw ChunkError(reason: "a code is not of type \(coding.type.rawValue)")
        }
        unsafe silt_lookup(folded, count, lookup, values)
    }

    private func floats(
        _ bytes: UnsafeRawBufferPointer, count: Int, into values: UnsafeMutablePointer<Float>,
        _ workspace: MatrixWorkspace
    ) throws(ChunkError) {
        let width = coding.type.elementBytes
        let patterns = unsafe workspace.patterns.room(UInt8.self, width * count)
        if coding.codec == .none {
            guard bytes.count == width * count, let start = bytes.baseAddress else {
                throw ChunkError(reason: "\(count) values have \(bytes.count) bytes")
            }
            unsafe UnsafeMutableRawPointer(patterns).copyMemory(from: start, byteCount: width * count)
        } else {
            let split = unsafe workspace.symbols.room(UInt8.self, width * count)
            if let planes {
                try unsafe planes.decode(bytes, planes: split, count: count, level: workspace.level)
            } else {
                try unsafe workspace.zstd.decompress(
                    bytes, into: UnsafeMutableRawBufferPointer(start: split, count: width * count))
            }
            unsafe silt_planes_merge(UInt32(width), split, nil, count, patterns)
        }
        unsafe silt_rotate_right(UInt32(width), patterns, count)
        unsafe silt_convert(coding.type.kernelType, Int32(SILT_F32), patterns, values, count)
    }

    /// Multiplies each run by its scale.
    private func multiply(
        _ values: UnsafeMutablePointer<Float>, runs: [Int], by scales: UnsafeRawBufferPointer,
        _ workspace: MatrixWorkspace
    ) throws(ChunkError) {
        let steps = unsafe workspace.integers.room(Int32.self, runs.count)
        try unsafe AdaptiveStream.decode(scales, count: runs.count, isSigned: true, into: steps)
        var pattern: Int32 = 0
        var at = unsafe values
        for (index, run) in runs.enumerated() {
            // Neither overflows: steps are below 2^24, patterns below 2^15.
            pattern += unsafe steps[index]
            guard (0..<0x7F80).contains(pattern) else {
                throw ChunkError(reason: "a scale is not finite or below 0")
            }
            unsafe silt_multiply(at, run, Float(bitPattern: UInt32(pattern) << 16))
            unsafe at += run
        }
    }
}

extension ValueCoding {
    /// Whether chunks have scales.
    var hasScales: Bool {
        switch scale {
        case .none, .step: false
        case .rows, .groups: true
        }
    }
}

extension ValueType {
    /// The float type as the kernels name it.
    var kernelType: Int32 {
        switch self {
        case .f16: Int32(SILT_F16)
        case .bf16: Int32(SILT_BF16)
        default: Int32(SILT_F32)
        }
    }
}
