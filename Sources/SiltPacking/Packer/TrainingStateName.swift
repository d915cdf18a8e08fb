/// Names that trainers give to what a training needs to go on, beside the model.
enum TrainingStateName {
    private static let names: Set<Substring> = [
        "optimizer.pt", "optimizer.bin", "optimizer.safetensors", "scheduler.pt", "scheduler.bin", "scaler.pt",
        "optimizer.pth", "scheduler.pth",
    ]
    private static let starts = ["rng_state", "random_states_", "optimizer_", "global_step", "optim_states", "optim_world_size"]
    private static let endings = [".distcp", "optim_states.pt", "_optimizer.pt", "_optimizer.bin"]

    /// Whether a relative path is one of a trainer's state.
    static func matches(_ path: String) -> Bool {
        let parts = path.split(separator: "/")
        guard let name = parts.last else { return false }
        if names.contains(name) || endings.contains(where: name.hasSuffix) { return true }
        // DeepSpeed and FSDP write directories of these names.
        return starts.contains(where: name.hasPrefix)
            || parts.dropLast().contains { part in ["global_step", "optimizer_"].contains(where: part.hasPrefix) || part == "optimizer" }
    }
}
