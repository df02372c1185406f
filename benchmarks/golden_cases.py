"""The runs of golden.py, a line each: a name, the pipeline, its environment, and parameters as for `kedro run`."""

from __future__ import annotations

import shlex

# Every run's, so that it takes seconds.
SMALL = """
    dbn.hidden_sizes=[40,30]  mlp.hidden_sizes=[40,30]  pretraining.epochs=2
    finetuning.epochs=3  finetuning.learning_rate=0.01  finetuning.batch_size=50
    evaluation.bootstrap=20  evaluation.samples=9  evaluation.sampling_steps=3
    evaluation.importance_repeats=2
    rbm.n_hidden=40  rbm.epochs=3  rbm.samples=9  rbm.sampling_steps=3  rbm.pseudo_likelihood_rows=5
    rbm.bootstrap=20
    rbm.likelihood.chains=10  rbm.likelihood.temperatures=30  rbm.likelihood.reverse_steps=5
    rbm.perplexity_documents=5  rbm.classification_rbm=false  rbm.probe=false
    autoencoder.epochs=2  autoencoder.likelihood_samples=20  autoencoder.likelihood_rows=50
    autoencoder.bootstrap=20  autoencoder.downstream_tasks=false  autoencoder.probe=false
    sae.hidden_sizes=[40,30]  sae.unrolled_epochs=2
    gan.generator_sizes=[32]  gan.discriminator_sizes=[32]  gan.latent_size=8  gan.epochs=2  gan.samples=200
    gan.feature_classifier_epochs=2  gan.baseline_epochs=1  gan.baselines=false  gan.animation_frames=2
    ring.epochs=2  ring.seeds=2  ring.rows=1000  ring.hidden_sizes=[16]
    gan_applications.epochs=2  gan_applications.hidden_sizes=[32]  gan_applications.rows=300
    gan_applications.demo_epochs=2
    gradients.depths=[2,5]  gradients.activations=[sigmoid,relu]  gradients.initializers=[normal,he_uniform]
    gradients.epochs=1  gradients.rows=500  gradients.updates=10  gradients.sequence_length=10
    evaluate.bootstrap=20
"""

# `@name` is the run of that name; data/01_raw and digits.npz are in the project's copy. A long line goes on indented.
CASES = """
dbn             dbn
dbn_fresh       dbn  preprocessing.binarize=dynamic  pretraining.features=samples  labelled_rows=500
dbn_random      dbn  pretraining.method=none  preprocessing.binarize=threshold
dbn_frozen      dbn  pretraining.freeze=true  pretraining.chain=persistent  pretraining.centered=true
    pretraining.steps=1  pretraining.final_steps=2  pretraining.sample_visible=true
    pretraining.epochs=[2,1]  pretraining.learning_rate=[0.1,0.05]
dbn_sparse      dbn  preprocessing.binarize=static  pretraining.sparsity_target=0.1
    pretraining.dropout=0.2  layer_statistics=true
dbn_tempered    dbn  pretraining.chain=tempered  pretraining.chains=10  pretraining.temperatures=4

mlp             mlp
mlp_many        mlp  seeds=3  grid.learning_rate=[0.01,0.001]  grid.l2=[0,1]
mlp_many_stop   mlp  seeds=3  finetuning.epochs=6  finetuning.patience=1  finetuning.optimizer=momentum
    finetuning.learning_rate=0.2  finetuning.schedule=plateau  finetuning.plateau_patience=1
    finetuning.clip_norm=1
mlp_many_noisy  mlp  seeds=2  mlp.normalization=batch  finetuning.dropout=0.2  finetuning.dropconnect=0.1
    finetuning.input_dropout=0.1  finetuning.augmentation.rotate=10  finetuning.max_norm=3
    finetuning.optimizer=nesterov  finetuning.schedule=step
mlp_noisy       mlp  mlp.normalization=batch  finetuning.dropout=[0.2,0.1]  finetuning.input_dropout=0.1
    finetuning.dropconnect=0.1  finetuning.optimizer=sgd  finetuning.schedule=step  layer_statistics=true
    finetuning.augmentation.rotate=10  finetuning.augmentation.shift=0.1  finetuning.augmentation.scale=0.1
    finetuning.augmentation.shear=5  finetuning.augmentation.noise=0.1
    finetuning.augmentation.flip_horizontal=true
mlp_momentum    mlp  finetuning.optimizer=momentum  finetuning.schedule=one_cycle  finetuning.loss=hinge
    finetuning.label_smoothing=0  mlp.activation=tanh  mlp.initializer=glorot_normal  finetuning.max_norm=3
mlp_nesterov    mlp  finetuning.optimizer=nesterov  finetuning.schedule=plateau  finetuning.plateau_patience=1
    finetuning.loss=focal  finetuning.label_smoothing=0  mlp.activation=[elu,prelu]  finetuning.clip_norm=1
    mlp.normalization=layer  mlp.initializer=orthogonal
mlp_adagrad     mlp  finetuning.optimizer=adagrad  finetuning.schedule=constant  finetuning.warmup_epochs=1
    finetuning.class_weights=balanced  finetuning.clip_value=0.5  finetuning.l1=1  mlp.activation=gelu
    mlp.bias_initializer=constant  mlp.bias_constant=0.1  finetuning.monitor=validation/accuracy
mlp_rmsprop     mlp  finetuning.optimizer=rmsprop  mlp.activation=selu  mlp.initializer=lecun_normal
    finetuning.dropconnect=0.2  finetuning.dropconnect_masks=batch  finetuning.l2=1
    finetuning.keep_best_weights=false  finetuning.max_steps=100  preprocessing.binarize=dynamic
    finetuning.augmentation.rotate=10
mlp_bfloat16    mlp  finetuning.precision=bfloat16  preprocessing.scaling=minmax  labelled_rows=1000

rbm             rbm  rbm.classification_rbm=true  rbm.probe=true  checkpoints.epochs=1
rbm_persistent  rbm  rbm.chain=persistent  rbm.centered=true  rbm.final_learning_rate=0
    preprocessing.binarize=dynamic
rbm_tempered    rbm  rbm.chain=tempered  rbm.chains=10  rbm.temperatures=4  rbm.final_steps=2
rbm_nrelu       rbm  rbm.hidden=nrelu  rbm.learning_rate=0.001
rbm_categorical rbm  rbm.hidden=categorical  rbm.hidden_group_size=4
rbm_gaussian    rbm  rbm.visible=gaussian  rbm.learn_variance=true
rbm_sparse      rbm  rbm.sparsity_target=0.1  rbm.dropout=0.3  rbm.monitor=validation/pseudo_likelihood
    rbm.patience=1  rbm.sample_visible=true  preprocessing.binarize=static
rbm_exact       rbm  rbm.n_hidden=10  rbm.likelihood.method=exact  rbm.bfloat16=true
    rbm.likelihood.chains=100  rbm.likelihood.temperatures=2000  rbm.likelihood.reverse_steps=1000
    rbm.classification_rbm=true

autoencoder     autoencoder  autoencoder.latent_size=10  autoencoder.downstream_tasks=true
    autoencoder.probe=true
overcomplete    autoencoder  autoencoder.variant=overcomplete  autoencoder.latent_size=800
    autoencoder.epochs=1
    autoencoder.optimizer=adamw  autoencoder.weight_decay=0.01
deep            autoencoder  autoencoder.variant=deep  autoencoder.hidden_sizes=[60,40]
    autoencoder.latent_size=5
    autoencoder.schedule=one_cycle  autoencoder.clip_norm=1  autoencoder.augmentation.shift=0.1
sparse_kl       autoencoder  autoencoder.variant=sparse  autoencoder.latent_size=40
sparse_l1       autoencoder  autoencoder.variant=sparse  autoencoder.latent_size=40  autoencoder.sparsity=l1
    autoencoder.latent_activation=relu  autoencoder.loss=squared
sparse_top_k    autoencoder  autoencoder.variant=sparse  autoencoder.latent_size=40
    autoencoder.sparsity=top_k
    autoencoder.top_k_units=5  autoencoder.output=linear  autoencoder.loss=squared
denoising       autoencoder  autoencoder.variant=denoising  autoencoder.latent_size=40
    autoencoder.corruption=gaussian  autoencoder.optimizer=momentum  autoencoder.learning_rate=0.1
denoising_fresh autoencoder  autoencoder.variant=denoising  autoencoder.latent_size=40
    autoencoder.corruption=salt_and_pepper  preprocessing.binarize=dynamic  autoencoder.precision=bfloat16
contractive     autoencoder  autoencoder.variant=contractive  autoencoder.latent_size=40
contractive_est autoencoder  autoencoder.variant=contractive  autoencoder.latent_size=20
    autoencoder.tied=false
    autoencoder.hidden_sizes=[40]  autoencoder.jacobian=estimated
contractive_deep  autoencoder  autoencoder.variant=contractive  autoencoder.latent_size=20
    autoencoder.tied=false
    autoencoder.hidden_sizes=[30,30,30]  autoencoder.activation=[elu,gelu,leaky_relu]
    autoencoder.latent_activation=softplus
variational     autoencoder  autoencoder.variant=variational  autoencoder.hidden_sizes=[40]
    autoencoder.latent_size=5  autoencoder.beta_warmup_epochs=1  autoencoder.free_bits=0.1
    autoencoder.downstream_tasks=true
importance      autoencoder  autoencoder.variant=variational  autoencoder.hidden_sizes=[40]
    autoencoder.latent_size=5  autoencoder.importance_samples=3  preprocessing.binarize=dynamic
variational_normal  autoencoder  autoencoder.variant=variational  autoencoder.hidden_sizes=[40]
    autoencoder.latent_size=2  autoencoder.loss=gaussian
convolutional   autoencoder  autoencoder.variant=convolutional  autoencoder.channels=[2,4]
    autoencoder.latent_size=10  autoencoder.epochs=1  autoencoder.contraction=0.01
    autoencoder.jacobian=estimated

sae             sae  sae.corruption_levels=[0.1,0.2]
sae_unrolled    sae  pretraining.method=rbm
sae_contractive sae  sae.variant=contractive  finetuning.optimizer=momentum
gradients       gradients

gan             gan  gan.baselines=true  gan.condition=class  synthesize=20
gan_none        gan  gan.condition=none  gan.pac=2  gan.objective=minimax  gan.label_smoothing=0.1
    gan.instance_noise=0.1  gan.dropout=0.2
gan_dcgan       gan  gan.network=dcgan  gan.channels=2  gan.epochs=1  gan.objective=hinge
    gan.spectral_normalization=true
    gan.condition=caption  gan.captions='["a seven, thick","a thin one"]'
gan_squares     gan  gan.objective=least_squares  gan.discriminator_normalization=batch  gan.schedule=constant
gan_clipped     gan  gan.objective=wasserstein  gan.optimizer=rmsprop  gan.weight_clip=0.02
    gan.discriminator_steps=2
    gan.ema_decay=0
gan_penalty     gan  gan.objective=wasserstein_penalty  gan.discriminator_steps=2
    preprocessing.binarize=dynamic
gan_ring        gan_ring
gan_applications  gan_applications

fires_dbn       dbn  --env=forest_fires
fires_mlp       mlp  --env=forest_fires  finetuning.loss=huber  finetuning.optimizer=adamax
fires_absolute  mlp  --env=forest_fires  finetuning.loss=absolute  finetuning.optimizer=adadelta
    finetuning.learning_rate=1  preprocessing.drop_first=false
fires_log_cosh  mlp  --env=forest_fires  finetuning.loss=log_cosh  finetuning.optimizer=nadam  seeds=2
fires_poisson   mlp  --env=forest_fires  finetuning.loss=poisson  problem.target=RH
    problem.target_transform=none
    preprocessing.scale_target=false
fires_rbm       rbm  --env=forest_fires  rbm.probe=true
fires_autoencoder  autoencoder  --env=forest_fires  autoencoder.latent_size=5
    autoencoder.downstream_tasks=true
fires_swap      autoencoder  --env=forest_fires  autoencoder.variant=denoising  autoencoder.latent_size=20
    autoencoder.corruption=swap
fires_vae       autoencoder  --env=forest_fires  autoencoder.variant=variational  autoencoder.latent_size=3
    autoencoder.hidden_sizes=[20]
fires_gan       gan  --env=forest_fires  gan.table.components=3  synthesize=20
size_mlp        mlp  --env=forest_fires_size  finetuning.optimizer=adamw  finetuning.weight_decay=0.01
    evaluation.threshold=f1
size_hinge      mlp  --env=forest_fires_size  finetuning.loss=hinge  evaluation.threshold=accuracy
    mlp.activation=silu
size_focal      mlp  --env=forest_fires_size  finetuning.loss=focal  seeds=2  preprocessing.scaling=minmax
    preprocessing.scaled_columns=all  finetuning.class_weights=balanced
size_gan        gan  --env=forest_fires_size  gan.objective=wasserstein_penalty  gan.pac=2
    gan.table.components=3
classic_mlp     mlp  --env=forest_fires_classic

churn_mlp       mlp  --env=churn
churn_dbn       dbn  --env=churn
churn_gan       gan  --env=churn  gan.epochs=1
churn_classic   mlp  --env=churn_classic  finetuning.epochs=1
kos_rbm         rbm  --env=kos  rbm.n_hidden=10  rbm.epochs=1
movielens_rbm   rbm  --env=movielens  rbm.n_hidden=10  rbm.epochs=1
movielens_autoencoder  autoencoder  --env=movielens  autoencoder.latent_size=10  autoencoder.epochs=1

predict_digits  predict   predict.model=@dbn  predict.input=digits.npz  predict.chunk_rows=200
predict_fires   predict   predict.model=@fires_mlp  predict.input=data/01_raw/forest_fires/forestfires_uci.csv
predict_size    predict   predict.model=@size_mlp  predict.input=data/01_raw/forest_fires/forestfires_uci.csv
evaluate_digits evaluate  evaluate.model=@mlp  evaluate.input=digits.npz
evaluate_fires  evaluate  evaluate.model=@fires_dbn
    evaluate.input=data/01_raw/forest_fires/forestfires_uci.csv
evaluate_size   evaluate  evaluate.model=@size_mlp
    evaluate.input=data/01_raw/forest_fires/forestfires_uci.csv
"""

# Environments whose files LAYERWISE_DATA has to name.
DOWNLOADED = ("churn", "churn_classic", "kos", "movielens")


def cases() -> dict[str, tuple[str, str | None, list[str]]]:
    """Return the pipeline, the environment and the parameters of every run by its name."""
    found: dict[str, tuple[str, str | None, list[str]]] = {}
    for line in CASES.replace("\n    ", " ").splitlines():
        if line.strip():
            name, pipeline, *rest = shlex.split(line)
            env = next((word.removeprefix("--env=") for word in rest if word.startswith("--env=")), None)
            found[name] = pipeline, env, [word for word in rest if not word.startswith("--")]
    return found
