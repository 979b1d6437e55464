// A relying party and a device made with go-oidc and golang.org/x/oauth2: signs a person in, reads
// who they are, refreshes. Prints what was checked as one line of JSON; fails at the first check
// that does not hold.
//
// Reads OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET (none for a public client),
// OIDC_REDIRECT_URI, OIDC_USERNAME and OIDC_PASSWORD. With the argument "device" it is a device.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// party is a client of the issuer, and what it found to hold.
type party struct {
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier
	config   oauth2.Config
	checks   []string
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	checks, err := run(ctx, len(os.Args) > 1 && os.Args[1] == "device")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	line, _ := json.Marshal(map[string]any{"client": "go-oidc", "checks": checks})
	fmt.Println(string(line))
}

func run(ctx context.Context, isDevice bool) ([]string, error) {
	if isDevice {
		device, err := discover(ctx, oauth2.AuthStyleInParams)
		if err != nil {
			return nil, err
		}
		err = device.connect(ctx)
		return device.checks, err
	}
	// What Go does on its own is to try Basic first, then the parameters.
	styles := []oauth2.AuthStyle{oauth2.AuthStyleInParams}
	if os.Getenv("OIDC_CLIENT_SECRET") != "" {
		styles = append(styles, oauth2.AuthStyleInHeader, oauth2.AuthStyleAutoDetect)
	}
	var checks []string
	for _, style := range styles {
		web, err := discover(ctx, style)
		if err == nil {
			err = web.signIn(ctx)
		}
		if err != nil {
			return nil, err
		}
		checks = append(checks, web.checks...)
	}
	return checks, nil
}

// discover reads the issuer's metadata, whose issuer go-oidc compares exactly.
func discover(ctx context.Context, style oauth2.AuthStyle) (*party, error) {
	provider, err := oidc.NewProvider(ctx, os.Getenv("OIDC_ISSUER"))
	if err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	endpoint := provider.Endpoint()
	endpoint.AuthStyle = style
	id := os.Getenv("OIDC_CLIENT_ID")
	return &party{
		provider: provider,
		verifier: provider.Verifier(&oidc.Config{ClientID: id}),
		config: oauth2.Config{
			ClientID:     id,
			ClientSecret: os.Getenv("OIDC_CLIENT_SECRET"),
			Endpoint:     endpoint,
			RedirectURL:  os.Getenv("OIDC_REDIRECT_URI"),
			Scopes:       []string{oidc.ScopeOpenID, "profile", "email", oidc.ScopeOfflineAccess},
		},
		checks: []string{"discovery"},
	}, nil
}

func (p *party) signIn(ctx context.Context) error {
	state, nonce, verifier := oauth2.GenerateVerifier(), oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
	start := p.config.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier),
		oauth2.SetAuthURLParam("prompt", "consent"))
	away, page, err := newFormFiller().travel(start)
	if err != nil {
		return err
	}
	if away == nil || !strings.HasPrefix(away.String(), p.config.RedirectURL) {
		return fmt.Errorf("not sent back: %v %s", away, page)
	}
	if err := checkAnswer(away.Query(), state); err != nil {
		return err
	}
	code := away.Query().Get("code")
	token, err := p.config.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	if err != nil {
		return fmt.Errorf("code: %w", err)
	}
	idToken, err := p.verify(ctx, token)
	if err != nil {
		return err
	}
	if idToken.Nonce != nonce {
		return fmt.Errorf("nonce %q is not %q", idToken.Nonce, nonce)
	}
	p.checks = append(p.checks, "code flow with PKCE, state and nonce; ID token verified")
	if err := p.readAndRefresh(ctx, token, idToken.Subject); err != nil {
		return err
	}
	_, err = p.config.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	return p.expect("invalid_grant", err, "a code works once")
}

func checkAnswer(answer url.Values, state string) error {
	if answer.Get("state") != state || answer.Get("iss") != os.Getenv("OIDC_ISSUER") {
		return fmt.Errorf("another state or issuer: %v", answer)
	}
	return nil
}

func (p *party) connect(ctx context.Context) error {
	codes, err := p.config.DeviceAuth(ctx)
	if err != nil {
		return fmt.Errorf("device authorization: %w", err)
	}
	p.checks = append(p.checks, "device authorization")
	_, page, err := newFormFiller().travel(codes.VerificationURIComplete)
	if err != nil {
		return err
	}
	if !strings.Contains(page, `id="device-connected"`) {
		return fmt.Errorf("not connected: %s", page)
	}
	token, err := p.config.DeviceAccessToken(ctx, codes)
	if err != nil {
		return fmt.Errorf("device code: %w", err)
	}
	idToken, err := p.verify(ctx, token)
	if err != nil {
		return err
	}
	p.checks = append(p.checks, "tokens of the device; ID token verified")
	return p.readAndRefresh(ctx, token, idToken.Subject)
}

// verify checks the ID token's signature, issuer, audience, times and at_hash.
func (p *party) verify(ctx context.Context, token *oauth2.Token) (*oidc.IDToken, error) {
	raw, _ := token.Extra("id_token").(string)
	idToken, err := p.verifier.Verify(ctx, raw)
	if err != nil {
		return nil, fmt.Errorf("ID token: %w", err)
	}
	if idToken.AccessTokenHash != "" {
		if err := idToken.VerifyAccessToken(token.AccessToken); err != nil {
			return nil, fmt.Errorf("at_hash: %w", err)
		}
	}
	return idToken, nil
}

func (p *party) readAndRefresh(ctx context.Context, token *oauth2.Token, subject string) error {
	person, err := p.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return fmt.Errorf("userinfo: %w", err)
	}
	if person.Subject != subject || person.Email == "" || !person.EmailVerified {
		return fmt.Errorf("userinfo: %+v", person)
	}
	p.checks = append(p.checks, "userinfo")

	refresh := &oauth2.Token{RefreshToken: token.RefreshToken}
	refreshed, err := p.config.TokenSource(ctx, refresh).Token()
	if err != nil {
		return fmt.Errorf("refresh: %w", err)
	}
	idToken, err := p.verify(ctx, refreshed)
	if err != nil {
		return err
	}
	if idToken.Subject != subject || refreshed.AccessToken == token.AccessToken {
		return errors.New("refresh: not a new token of the same person")
	}
	p.checks = append(p.checks, "refresh")
	return nil
}

// expect notes the check if err is that OAuth error.
func (p *party) expect(code string, err error, check string) error {
	var refusal *oauth2.RetrieveError
	if !errors.As(err, &refusal) || refusal.ErrorCode != code {
		return fmt.Errorf("%s was expected, not %w", code, err)
	}
	p.checks = append(p.checks, check)
	return nil
}
