/// Why a text is not the strict JSON that Silt accepts.
package struct JSONError: Error, Sendable, Hashable {
    /// What was found, as the end of a sentence.
    package let reason: String
    /// Where, in bytes from the start of the text.
    package let offset: Int
    /// Whether a limit of Silt is exceeded (depth, number of values), which is no rule of JSON.
    package var isLimit = false
}

extension JSONValue {
    /// How deep arrays and objects may nest (Formats/Silt.md, section 3).
    package static let depthLimit = 32
    /// How many values a text may have, those of every kind counted: what bounds the memory that a small file can ask for.
    package static let countLimit = 4_194_304

    /// Parses strict JSON (RFC 8259, UTF-8): no key twice in one object, no lone surrogates, no text after the value
    /// but white space.
    ///
    /// Recursion is bounded by `depthLimit`, memory by the text's length.
    package init(parsing bytes: [UInt8]) throws(JSONError) {
        var parser = JSONParser(bytes: bytes)
        self = try parser.document()
    }
}

/// The keys of one object.
///
/// Most objects have few, for which a set costs more than it spares.
private struct Keys {
    private var few: [ByteName] = []
    private var many: Set<ByteName> = []

    /// False if the key is there already.
    mutating func insert(_ key: ByteName) -> Bool {
        guard many.isEmpty else { return many.insert(key).inserted }
        guard !few.contains(key) else { return false }
        few.append(key)
        if few.count > 16 { many = Set(few) }
        return true
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    var position = 0
    var count = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(JSONError) -> JSONValue {
        let value = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw error("text after the value") }
        return value
    }

    private func error(_ reason: String, at offset: Int? = nil) -> JSONError {
        JSONError(reason: reason, offset: offset ?? position)
    }

    private var tooDeep: JSONError {
        JSONError(reason: "more than \(JSONValue.depthLimit) levels", offset: position, isLimit: true)
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 32 || byte == 10 || byte == 13 || byte == 9 { position += 1 }
    }

    private mutating func accept(_ byte: UInt8) -> Bool {
        skipSpace()
        guard next == byte else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        skipSpace()
        count += 1
        guard count <= JSONValue.countLimit else {
            throw JSONError(reason: "more than \(JSONValue.countLimit) values", offset: position, isLimit: true)
        }
        guard let byte = next else { throw error("the end of the text instead of a value") }
        switch byte {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), 48...57: return try number()
        default: throw error("a byte that cannot start a value")
        }
    }

    private mutating func word(_ text: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
        guard bytes[position...].starts(with: text.utf8) else { throw error("a byte that cannot start a value") }
        position += text.utf8.count
        return value
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        guard depth < JSONValue.depthLimit else { throw tooDeep }
        position += 1
        var members: [JSONValue.Member] = []
        guard !accept(UInt8(ascii: "}")) else { return .object([]) }
        var keys = Keys()
        while true {
            skipSpace()
            let start = position
            guard next == UInt8(ascii: "\"") else { throw error("no key where one must stand") }
            let key = try string()
            guard keys.insert(ByteName(key)) else { throw error("the key \"\(key)\" twice", at: start) }
            guard accept(UInt8(ascii: ":")) else { throw error("no colon after the key \"\(key)\"") }
            members.append(.init(key, try value(depth: depth + 1)))
            if accept(UInt8(ascii: "}")) { return .object(members) }
            guard accept(UInt8(ascii: ",")) else { throw error("neither a comma nor the end of the object") }
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        guard depth < JSONValue.depthLimit else { throw tooDeep }
        position += 1
        var elements: [JSONValue] = []
        guard !accept(UInt8(ascii: "]")) else { return .array([]) }
        while true {
            elements.append(try value(depth: depth + 1))
            if accept(UInt8(ascii: "]")) { return .array(elements) }
            guard accept(UInt8(ascii: ",")) else { throw error("neither a comma nor the end of the array") }
        }
    }

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = position
        if next == UInt8(ascii: "-") { position += 1 }
        let first = position
        try digits()
        guard bytes[first] != 48 || position == first + 1 else {
            throw error("a number with a leading zero", at: start)
        }
        var isInteger = true
        if next == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            try digits()
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        // "-0" is no integer: it would lose its sign, and extents are not written so.
        if isInteger, text != "-0", let integer = Int(text) { return .integer(integer) }
        guard let number = Double(text), number.isFinite else { throw error("a number out of range", at: start) }
        return .number(number)
    }

    private mutating func digits() throws(JSONError) {
        let start = position
        while let byte = next, (48...57).contains(byte) { position += 1 }
        guard position > start else { throw error("a digit is missing") }
    }

    private mutating func string() throws(JSONError) -> String {
        let start = position
        position += 1
        var text: [UInt8] = []
        var runStart = position
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                text += bytes[runStart..<position]
                position += 1
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw error("a string that is not UTF-8", at: start)
                }
                return string
            case UInt8(ascii: "\\"):
                text += bytes[runStart..<position]
                position += 1
                text += String(try escape()).utf8
                runStart = position
            case 0..<0x20: throw error("a control character in a string")
            default: position += 1
            }
        }
        throw error("an unterminated string", at: start)
    }

    private mutating func escape() throws(JSONError) -> Unicode.Scalar {
        guard let byte = next else { throw error("an unterminated string") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xD800..<0xDC00).contains(code) {
                guard next == UInt8(ascii: "\\") else { throw error("half a surrogate pair") }
                position += 1
                guard next == UInt8(ascii: "u") else { throw error("half a surrogate pair") }
                position += 1
                let low = try hexadecimal()
                guard (0xDC00..<0xE000).contains(low) else { throw error("half a surrogate pair") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw error("half a surrogate pair") }
            return scalar
        default: throw error("an unknown escape", at: position - 2)
        }
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw error("an escape without four hexadecimal digits")
            }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }
}
