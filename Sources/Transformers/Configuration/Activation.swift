internal import CSiltKernels

/// The functions between two linear layers.
enum Activation: Sendable, Hashable {
    case identity, gelu, geluTanh, relu, silu, tanh

    /// The function that config.json calls `name`; nil if it is none of these.
    init?(name: String) {
        switch name {
        case "gelu", "gelu_python": self = .gelu
        case "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu_accurate", "gelu_python_tanh": self = .geluTanh
        case "relu": self = .relu
        case "silu", "swish": self = .silu
        case "tanh": self = .tanh
        case "linear": self = .identity
        default: return nil
        }
    }

    /// What error messages list.
    static let names = "gelu, gelu_new, gelu_pytorch_tanh, relu, silu and tanh"

    /// The number that the kernels know it by.
    var code: Int32 {
        switch self {
        case .identity: Int32(SILT_IDENTITY)
        case .gelu: Int32(SILT_GELU)
        case .geluTanh: Int32(SILT_GELU_TANH)
        case .relu: Int32(SILT_RELU)
        case .silu: Int32(SILT_SILU)
        case .tanh: Int32(SILT_TANH)
        }
    }
}
