internal import CSiltKernels
internal import TensorTypes

/// How positions turn queries and keys: the frequencies of rotary embeddings, and a factor of their cosines and sines.
struct RotaryConfiguration: Sendable, Hashable {
    /// A frequency for each pair of elements.
    let frequencies: [Float]
    /// What the scaling of attention multiplies cosines and sines by.
    let scale: Float

    /// The rotary types, as config.json calls them.
    static let types = "default, linear, dynamic, llama3 and yarn"

    /// Reads `rope_parameters`, or `rope_scaling` and `rope_theta` of older files.
    init(_ fields: JSONFields, width: Int, positions: Int) throws(SiltError) {
        var parameters = try fields.fields("rope_parameters")
        if parameters == nil { parameters = try fields.fields("rope_scaling") }
        if let parameters, parameters.hasObjects {
            throw fields.unsupported("rotary embeddings that differ between layers are not supported")
        }
        let share = try RotaryConfiguration.number("partial_rotary_factor", parameters, fields) ?? 1
        guard share == 1, width.isMultiple(of: 2) else {
            throw fields.unsupported("rotary embeddings of parts of a head, or of odd width, are not supported")
        }
        let base = try RotaryConfiguration.number("rope_theta", parameters, fields) ?? 10_000
        guard base > 1, base <= 1e30 else {
            throw SiltError(.header, "\"rope_theta\" is \(base); it must be above 1", file: fields.file)
        }
        let powers = RotaryConfiguration.powers(base, width)
        let plain = powers.map { 1 / $0 }
        var type = try parameters?.string("rope_type")
        if type == nil { type = try parameters?.string("type") }
        guard let parameters, let type, type != "default" else {
            (frequencies, scale) = (plain, 1)
            return
        }
        let settings = ScalingFields(parameters, fields, positions: positions)
        switch type {
        case "linear":
            let factor = Float(try settings.factor())
            (frequencies, scale) = (plain.map { $0 / factor }, 1)
        case "dynamic":
            // Up to the trained length, which is the longest that Silt takes, this is the plain form.
            _ = try settings.factor()
            (frequencies, scale) = (plain, 1)
        case "llama3":
            (frequencies, scale) = (try RotaryConfiguration.llama3(plain, settings), 1)
        case "yarn":
            (frequencies, scale) = try RotaryConfiguration.yarn(powers, base, settings)
        default:
            throw fields.unsupported(
                "rotary embeddings of the type \"\(type)\" are not supported, only \(RotaryConfiguration.types)")
        }
    }

    /// A number of the rotary settings, or else of the model's.
    private static func number(
        _ key: String, _ parameters: JSONFields?, _ fields: JSONFields
    ) throws(SiltError) -> Double? {
        if let number = try parameters?.number(key) { return number }
        return try fields.number(key)
    }

    /// base^(2i / width), in binary32 as the models were trained.
    private static func powers(_ base: Double, _ width: Int) -> [Float] {
        (0..<width / 2).map { Float(silt_power(base, Double(Float(2 * $0) / Float(width)))) }
    }

    /// Low frequencies are divided by the factor, high ones stay, those between are mixed.
    private static func llama3(_ plain: [Float], _ settings: ScalingFields) throws(SiltError) -> [Float] {
        let factor = Float(try settings.factor())
        let low = Float(try settings.positive("low_freq_factor"))
        let high = Float(try settings.positive("high_freq_factor"))
        let length = Float(try settings.originalPositions())
        guard high > low else { throw settings.wrong("\"high_freq_factor\" is not above \"low_freq_factor\"") }
        return plain.map { frequency in
            let wave = 2 * Float.pi / frequency
            if wave > length / low { return frequency / factor }
            if wave < length / high { return frequency }
            let smooth = (length / wave - low) / (high - low)
            return (1 - smooth) * frequency / factor + smooth * frequency
        }
    }

    /// Pairs that turn often stay, those that turn seldom are divided by the factor, with a ramp between.
    private static func yarn(
        _ powers: [Float], _ base: Double, _ settings: ScalingFields
    ) throws(SiltError) -> (frequencies: [Float], scale: Float) {
        let original = try settings.originalPositions()
        let factor = try settings.fields.number("factor") == nil ? settings.lengthRatio() : settings.factor()
        let width = Double(2 * powers.count)
        func pair(turns: Double) -> Double {
            width * natural(Double(original) / (turns * 2 * Double.pi)) / (2 * natural(base))
        }
        var first = pair(turns: try settings.optional("beta_fast") ?? 32)
        var last = pair(turns: try settings.optional("beta_slow") ?? 1)
        if try settings.fields.flag("truncate") ?? true { (first, last) = (first.rounded(.down), last.rounded(.up)) }
        first = max(first, 0)
        last = min(last, width - 1)
        if first == last { last += 0.001 }
        let frequencies = powers.enumerated().map { index, power in
            let ramp = min(max((Float(index) - Float(first)) / Float(last - first), 0), 1)
            let stays = 1 - ramp
            return 1 / (Float(factor) * power) * (1 - stays) + 1 / power * stays
        }
        func magnitude(_ weight: Double) -> Double { factor <= 1 ? 1 : 0.1 * weight * natural(factor) + 1 }
        if let scale = try settings.optional("attention_factor") { return (frequencies, Float(scale)) }
        if let one = try settings.optional("mscale"), let all = try settings.optional("mscale_all_dim") {
            return (frequencies, Float(magnitude(one) / magnitude(all)))
        }
        return (frequencies, Float(magnitude(1)))
    }

    private static func natural(_ value: Double) -> Double { silt_log2(value) * 0.693_147_180_559_945_3 }
}

/// The settings of a rotary type, checked.
private struct ScalingFields {
    let fields: JSONFields
    private let model: JSONFields
    private let positions: Int

    init(_ fields: JSONFields, _ model: JSONFields, positions: Int) {
        (self.fields, self.model, self.positions) = (fields, model, positions)
    }

    func wrong(_ message: String) -> SiltError {
        SiltError(.header, "rotary embeddings: \(message)", file: fields.file)
    }

    /// A number above 0 that must be there.
    func positive(_ key: String) throws(SiltError) -> Double {
        guard let value = try optional(key) else { throw wrong("\"\(key)\" is missing") }
        return value
    }

    /// A number above 0; 0 counts as absent.
    func optional(_ key: String) throws(SiltError) -> Double? {
        guard let value = try fields.number(key), value != 0 else { return nil }
        guard value > 0, value <= 1e9 else { throw wrong("\"\(key)\" is \(value)") }
        return value
    }

    func factor() throws(SiltError) -> Double { try positive("factor") }

    /// The length that the model was first trained for.
    func originalPositions() throws(SiltError) -> Int {
        let key = "original_max_position_embeddings"
        if let length = try model.extent(key) { return length }
        return try fields.extent(key) ?? positions
    }

    func lengthRatio() throws(SiltError) -> Double { Double(positions) / Double(try originalPositions()) }
}
