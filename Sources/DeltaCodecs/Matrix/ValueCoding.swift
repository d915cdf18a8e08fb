/// How a stream of symbols is coded (Formats/Silt.md, sections 12.3 and 12.4).
package enum StreamCodec: String, CaseIterable, Sendable {
    case none
    case zstd
    case rans
    case adaptive
}

/// What the values of a matrix are (Formats/Silt.md, section 12.4).
package enum ValueType: String, CaseIterable, Sendable {
    case f32
    case f16
    case bf16
    case int8
    case int4
    case int2
    case int
    case sign

    /// Whether values are stored as they are, not as codes with a scale.
    package var isFloat: Bool { self == .f32 || self == .f16 || self == .bf16 }

    /// The largest code; 0 for floats.
    package var largestCode: Int32 {
        switch self {
        case .f32, .f16, .bf16: 0
        case .int8: 127
        case .int4: 7
        case .int2, .sign: 1
        case .int: (1 << 24) - 1
        }
    }

    /// Bytes of an element of section 8: of a float's pattern, or of a folded code.
    package var elementBytes: Int {
        switch self {
        case .f32: 4
        case .f16, .bf16: 2
        case .int8, .int4, .int2, .int, .sign: 1
        }
    }

    /// Bits of a value under codec `none`.
    package var packedBits: Int {
        switch self {
        case .f32, .int: 32
        case .f16, .bf16: 16
        case .int8: 8
        case .int4: 4
        case .int2: 2
        case .sign: 1
        }
    }

    /// The largest folded code.
    var largestFolded: Int { self == .sign ? 1 : 2 * Int(largestCode) }

    /// The codecs that the format has for this type.
    package var codecs: [StreamCodec] {
        switch self {
        case .f32, .f16, .bf16: [.none, .zstd, .rans]
        case .int8, .int4, .int2: [.none, .rans, .adaptive]
        case .int: [.adaptive]
        case .sign: [.none, .rans]
        }
    }
}

/// How the values of a matrix are stored (Formats/Silt.md, section 12.4).
package struct ValueCoding: Sendable, Hashable {
    /// What a code is multiplied by.
    package enum Scale: Sendable, Hashable {
        /// Floats have none.
        case none
        /// One for the matrix, finite and above 0.
        case step(Float)
        /// One for each row, in the chunks.
        case rows
        /// One for as many values of a cell, in the chunks.
        case groups(Int)
    }

    package var type: ValueType
    package var codec: StreamCodec
    package var scale: Scale

    package init(type: ValueType, codec: StreamCodec, scale: Scale = .none) {
        self.type = type
        self.codec = codec
        self.scale = scale
    }

    /// What is wrong, as a sentence without a subject; nil if nothing is.
    var fault: String? {
        guard type.codecs.contains(codec) else {
            return "has the codec \(codec.rawValue), which \(type.rawValue) does not allow"
        }
        switch scale {
        case .none: return type.isFloat ? nil : "has no scale"
        case .step(let step):
            if type.isFloat { return "has a scale, which floats do not have" }
            return step.isFinite && step > 0 ? nil : "has a step that is not above 0 in binary32"
        case .rows: return type.isFloat ? "has scales, which floats do not have" : nil
        case .groups(let size):
            if type.isFloat { return "has scales, which floats do not have" }
            return size >= 1 ? nil : "has groups of no values"
        }
    }
}
