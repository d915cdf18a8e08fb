internal import TensorTypes

/// Which adapters are `W + scale * B A` (or, for SHiRA, `W` plus sparse values), and which are something else.
enum AdapterVariants {
    /// Initialisations that change the base, so that the adapter's factors do not add up with the published one.
    private static let changingBase = ["pissa", "olora", "corda", "loftq", "lora_ga"]

    /// Fields that turn LoRA into something that is no sum, and what they are.
    private static let refused = [
        ("use_dora", "DoRA, which rescales the columns of the sum"),
        ("lora_bias", "LoRA with biases in its factors (lora_bias)"),
        ("alora_invocation_tokens", "Activated LoRA (aLoRA), which acts on some positions of the input only"),
        ("use_qalora", "QALoRA, which pools its input"),
        ("use_bdlora", "BD-LoRA, whose factors are block-diagonal"),
        ("arrow_config", "Arrow, which routes between adapters"),
        ("kasa_config", "KaSA, which changes the base and adds a diagonal between the factors"),
        ("monteclora_config", "MonteCLoRA, which samples its factors"),
        ("layer_replication", "LoRA with replicated layers (layer_replication)"),
        ("trainable_token_indices", "LoRA with trained tokens (trainable_token_indices)"),
        ("target_parameters", "LoRA on parameters instead of modules (target_parameters)"),
    ]

    /// The kind; throws `usage` for one that Silt does not read, `header` if there is none.
    static func kind(_ fields: JSONFields) throws(SiltError) -> AdapterConfiguration.Kind {
        guard let name = try fields.string("peft_type") else {
            throw SiltError(
                .header, "the configuration has no \"peft_type\"", file: fields.file, advice: "is this a PEFT adapter?")
        }
        guard let kind = AdapterConfiguration.Kind(rawValue: name) else {
            let known = AdapterConfiguration.Kind.allCases.map(\.rawValue).joined(separator: " and ")
            throw SiltError(
                .usage, "adapters of type \(name) are not supported; \(known) are", file: fields.file, advice: merge)
        }
        return kind
    }

    /// Throws `usage` for a variant that Silt would give back wrongly.
    static func check(_ fields: JSONFields, _ kind: AdapterConfiguration.Kind) throws(SiltError) {
        guard kind == .lora else { return }
        for (field, what) in refused where fields.asks(for: field) {
            throw SiltError(.usage, "the adapter is \(what), which is not supported", file: fields.file, advice: merge)
        }
        guard case .string(let name)? = fields["init_lora_weights"] else { return }
        if changingBase.contains(where: { name.lowercased().hasPrefix($0) }) {
            throw SiltError(
                .usage, "the adapter was initialised with \(name), which changed the weights of the base",
                file: fields.file,
                advice:
                    "convert it to plain LoRA with PEFT (save_pretrained with path_initial_model_for_weight_conversion), "
                    + "or merge it and pack the merged model")
        }
    }

    static let merge = "merge it with PEFT (merge_and_unload) and pack the merged model"
}
